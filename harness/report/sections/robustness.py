"""Robustness in the measures of the literature, each with its interval, UAR form, from the ROBUSTNESS table."""

from typing import NamedTuple

import pandas as pd

from harness.report.robustness_table import chance_level
from harness.report.sections.answer import listed
from harness.report.selection import Triple
from harness.report.study_results import StudyResults
from harness.stats.bootstrap import Scores
from harness.stats.interval import CONFIDENCE
from harness.stats.multiplicity import ROUNDING
from harness.stats.outcomes import Outcomes
from harness.tables.selections import RANKED, RULES

METRIC = "uar"

UP, DOWN = "↑", "↓"

UNBOUNDED = 1 - (1 - CONFIDENCE) / 2
"""A ratio that is defined in a smaller share of the replicates has no interval."""


class Measure(NamedTuple):
    """How a measure is shown.

    Attributes:
        title: its name.
        meaning: what it says.
        better: which way is better, as an arrow; empty where neither is.
        form: ``percent``, ``points`` (with a sign) or ``ratio``.
        of_chance: whether a network that guesses, or names one class always, can have its best value.
    """

    title: str
    meaning: str
    better: str
    form: str = "percent"
    of_chance: bool = False


class MeasureRow(NamedTuple):
    """A measure and its (value, low, high) by method."""

    measure: Measure
    values: list[Triple | None]


class RuledRow(NamedTuple):
    """A measure of one method and its (value, low, high) under each selection rule."""

    method: str
    measure: Measure
    values: list[Triple | None]


def shown_measures(results: StudyResults) -> dict[str, Measure]:
    """The measures of the table that are shown, by their names in it."""
    chance = 100 * chance_level(results.outcomes, METRIC)
    return {
        "relative": Measure("Kept", "perturbed over clean (rPC, gamma_r)", UP, of_chance=True),
        "retention": Measure("Kept above chance", f"the same for what exceeds chance, {chance:.1f} %", UP),
        "worst_family": Measure("Worst family", "lowest mean of a family", UP),
        "worst_condition": Measure("Worst condition", "lowest score of all", UP),
        "worst_tenth": Measure("Worst tenth", "mean of the worst 10 % of conditions (CVaR)", UP),
        "area_under_severity": Measure("Area under severity", "mean score from clean to the largest severity", UP),
        "corruption_error": Measure(
            "Corruption error", f"error over that of {results.outcomes.methods[0]} (mCE)", DOWN, "ratio"
        ),
        "flip_rate": Measure("Flip rate", "clips named otherwise than when clean", DOWN, of_chance=True),
        "resist_rate": Measure("Resist rate", "right clips that stay right", UP, of_chance=True),
        "order_change": Measure("Change without order", "points of UAR without the order of frames", "", "points"),
        "temporal_sensitivity": Measure(
            "Temporal sensitivity", "right clips lost with the order; what is won is not set off", "", of_chance=True
        ),
    }


class NearChance(NamedTuple):
    """Methods whose clean score is not known to be above chance, and notes on what that takes from the measures."""

    methods: list[str]
    notes: list[str]


def near_chance(outcomes: Outcomes, scores: Scores) -> NearChance:
    """Who is not known to be above chance, and for whom what is kept above it is not defined or has no interval."""
    chance, clean = chance_level(outcomes, METRIC), outcomes.clean
    methods, notes = [], []
    for index, method in enumerate(outcomes.methods):
        drawn = scores.replicates[METRIC][:, index, clean] - chance
        above, level = int((drawn > ROUNDING).sum()), f"chance ({100 * chance:.1f})"
        if scores.values[METRIC][index, clean] - chance <= ROUNDING:
            why = f"its clean UAR, {100 * scores.values[METRIC][index, clean]:.1f}, is not above {level}"
            notes.append(f"Kept above chance is not defined for {method}: {why}.")
            methods.append(method)
        elif above < UNBOUNDED * len(drawn):
            why = f"its clean UAR is above {level} in {above} of {len(drawn)} replicates only"
            notes.append(f"Kept above chance has no interval for {method}: {why}.")
            methods.append(method)
        elif above < len(drawn):
            notes.append(f"Kept above chance of {method} is defined in {above} of {len(drawn)} replicates.")
    return NearChance(methods, [*notes, *([_meaningless(methods)] if methods else [])])


def _meaningless(methods: list[str]) -> str:
    return (
        f"Grey and in brackets: {listed(methods)} {'is' if len(methods) == 1 else 'are'} not known to be above chance, "
        "and a network that names one class always keeps all of its score and never flips, which is no robustness; one "
        "that guesses loses right clips with any change of frames, which is no use of time."
    )


def robustness_rows(results: StudyResults, table: pd.DataFrame) -> list[MeasureRow]:
    """Every measure that the suite supports, under the ranked rule; a column for each method."""
    found = _triples(table)
    methods = results.outcomes.methods
    rows = [
        MeasureRow(measure, [found.get((RANKED, name, method)) for method in methods])
        for name, measure in shown_measures(results).items()
    ]
    return [row for row in rows if any(row.values)]


def ruled_rows(results: StudyResults, table: pd.DataFrame) -> list[RuledRow]:
    """Every measure of every method under the three rules; none where nothing was audited."""
    found = _triples(table)
    rows = [
        RuledRow(method, measure, [found.get((rule, name, method)) for rule in RULES])
        for name, measure in shown_measures(results).items()
        for method in results.outcomes.methods
    ]
    return [row for row in rows if all(row.values)]


def _triples(table: pd.DataFrame) -> dict[tuple[str, str, str], Triple]:
    """Numbers with their limits by rule, measure and method."""
    own = table[table["metric"] == METRIC]
    return {
        (row["selection"], row["measure"], row["method"]): (row["value"], row["low"], row["high"])
        for row in own.to_dict("records")
    }
