"""How much of what the study asked for is there."""

from typing import NamedTuple

from harness.report.study_results import StudyResults


class Coverage(NamedTuple):
    """Finished of planned trials, and compared of planned conditions (clean included)."""

    trials_done: int
    trials_planned: int
    conditions_compared: int
    conditions_planned: int

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.trials_done == self.trials_planned and self.conditions_compared == self.conditions_planned


def coverage(results: StudyResults) -> Coverage:
    """Counted over the trials that are compared, not over the search."""
    return Coverage(
        trials_done=len(results.confirmed),
        trials_planned=int((results.trials["phase"] == "confirm").sum()),
        conditions_compared=len(results.outcomes.conditions),
        conditions_planned=len(results.suite.conditions) + 1,
    )
