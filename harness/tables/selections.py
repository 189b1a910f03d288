"""Which epoch of a training is judged: the values of the ``selection`` column, and their names for people.

Every number of a report exists under all of these rules; the first alone is ranked.
"""

RANKED, LAST, BEST_ON_TEST = "validation", "last", "best_on_test"
"""The epoch chosen on validation clips; the last one; the first with the highest UAR on the clean test clips."""
AUDITED = (LAST, BEST_ON_TEST)
"""The rules that a study does not choose by."""
RULES = {RANKED: "Validation-selected", LAST: "Last epoch", BEST_ON_TEST: "Best on test"}
"""Titles, in the order in which they stand side by side."""
