"""Robustness in the measures of the literature, each with its interval, UAR form."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.report.findings import Findings
from harness.report.study_results import StudyResults
from harness.stats.aggregate import family_means, mean_over_families
from harness.stats.bootstrap import Resampling, Scores
from harness.stats.consistency import flips, resisted
from harness.stats.interval import percentile_band
from harness.stats.robustness import Robustness

METRIC = "uar"
REPLICATES = 1000


class MeasureRow(NamedTuple):
    """A measure, what it says, whether more is better, and (value, low, high) per method in ``unit``."""

    title: str
    meaning: str
    higher_is_better: bool
    percent: bool
    values: list[tuple[float, float, float]]


class _Both(NamedTuple):
    """A measure's values and replicates."""

    values: Float[np.ndarray, " m"]
    replicates: Float[np.ndarray, "b m"]


def robustness_rows(results: StudyResults, findings: Findings) -> list[MeasureRow]:
    """Every measure that the suite supports; none without a label-preserving condition."""
    families = results.suite.restricted_to(results.outcomes.conditions).families()
    rows = _score_rows(results, findings) if families else []
    return [*rows, *_clip_rows(results)]


def reference_method(results: StudyResults) -> str:
    """The method that corruption errors are relative to: the study's first."""
    return results.outcomes.methods[0]


def _score_rows(results: StudyResults, findings: Findings) -> list[MeasureRow]:
    outcomes, scores = results.outcomes, findings.scores
    observed, resampled = (
        Robustness(one[METRIC], outcomes.conditions, results.suite) for one in (scores.values, scores.replicates)
    )
    chance = 1 / int((outcomes.class_counts > 0).sum())
    measures: list[tuple[str, str, bool, Callable[[Robustness], np.ndarray]]] = [
        ("Kept", "perturbed over clean (rPC, gamma_r)", True, lambda one: one.relative()),
        (
            "Kept above chance",
            f"the same for what exceeds chance, {100 * chance:.1f} %",
            True,
            lambda one: one.retention(chance),
        ),
        ("Worst family", "lowest mean of a family", True, lambda one: one.worst_family()),
        ("Worst condition", "lowest score of all", True, lambda one: one.worst_condition()),
        ("Worst tenth", "mean of the worst 10 % of conditions (CVaR)", True, lambda one: one.worst_tail()),
        (
            "Area under severity",
            "mean score from clean to the largest severity",
            True,
            lambda one: one.area_under_severity(),
        ),
        (
            "Corruption error",
            f"error over that of {reference_method(results)} (mCE)",
            False,
            lambda one: one.corruption_error(0),
        ),
    ]
    return [
        _row(title, meaning, more, _Both(measure(observed), measure(resampled)))
        for title, meaning, more, measure in measures
    ]


def _clip_rows(results: StudyResults) -> list[MeasureRow]:
    outcomes, suite = results.outcomes, results.suite.restricted_to(results.outcomes.conditions)
    if not suite.conditions:
        return []
    resampling = Resampling(replicates=REPLICATES, seed=0)
    kept, rows = resisted(outcomes, resampling), []
    if suite.families():
        flipped = _averaged(flips(outcomes, resampling), results, "yes")
        rows.append(_row("Flip rate", "clips named otherwise than when clean", False, flipped))
        rows.append(_row("Resist rate", "right clips that stay right", True, _averaged(kept, results, "yes")))
    if suite.families("order"):
        lost = _averaged(kept, results, "order")
        sensitivity = _Both(1 - lost.values, 1 - lost.replicates)
        rows.append(_row("Temporal sensitivity", "right clips lost with the order of frames", True, sensitivity))
    return rows


def _averaged(scores: Scores, results: StudyResults, preserving: str) -> _Both:
    outcomes = results.outcomes
    families = results.suite.restricted_to(outcomes.conditions).families(preserving)
    values, replicates = (
        mean_over_families(family_means(one[METRIC], outcomes.conditions, families))
        for one in (scores.values, scores.replicates)
    )
    return _Both(values, replicates)


def _row(title: str, meaning: str, higher_is_better: bool, both: _Both) -> MeasureRow:
    band = percentile_band(both.values, both.replicates)
    values = list(zip(*(limit.tolist() for limit in band), strict=True))
    return MeasureRow(title, meaning, higher_is_better, title != "Corruption error", values)
