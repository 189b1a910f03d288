"""The robustness table of a study: every measure of every method, in its UAR and its WAR form, with intervals."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from harness.report.findings import Findings
from harness.report.leaderboard import METRICS_SHOWN
from harness.report.selection import Judged
from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.spec.trial import Condition
from harness.stats.aggregate import family_means, mean_over_families
from harness.stats.bootstrap import Resampling, Scores
from harness.stats.consistency import flips, resisted
from harness.stats.interval import bounded_band
from harness.stats.outcomes import Outcomes
from harness.stats.robustness import Robustness
from harness.stats.suite import Suite
from harness.tables.schema import ROBUSTNESS
from harness.tables.selections import RANKED

REFERENCE = 0
"""Corruption errors are relative to the study's first method."""
RELATIVE = ("corruption_error", "relative_corruption_error")

SHARE, RATIO, ANY = (0.0, 1.0), (0.0, np.inf), (-np.inf, np.inf)

BOUNDS = {
    **dict.fromkeys(("mean", "worst_family", "worst_condition", "worst_tenth", "area_under_severity"), SHARE),
    **dict.fromkeys(("flip_rate", "resist_rate", "temporal_sensitivity"), SHARE),
    **dict.fromkeys(("relative", "corruption_error"), RATIO),
}
"""Values that a measure can have, which limits are kept to: replicates of very small strata are stretched and can fall
outside. The others are not bounded."""

Both = tuple[Float[np.ndarray, " m"], Float[np.ndarray, "b m"]]
"""A measure's values and replicates."""


def robustness_table(results: StudyResults, findings: Findings, replicates: int = 1000) -> pd.DataFrame:
    """One row per method, selection rule, metric and measure in the ROBUSTNESS schema; none without perturbations.

    A ratio is not a number where its denominator is not above zero (what is kept above chance, of a method that is not
    above it), and has no limits where that is so in more than 2.5 % of the replicates. Corruption errors are
    left out where a rule was not measured for the reference.
    """
    judged = {RANKED: Judged(results.outcomes, findings.scores), **findings.selection.judged}
    rows = [row for rule, one in judged.items() for row in _rows(results, one, rule, replicates)]
    return pd.DataFrame(rows, columns=ROBUSTNESS.schema.names)


def _rows(results: StudyResults, judged: Judged, rule: str, replicates: int) -> list[dict[str, Any]]:
    outcomes = judged.outcomes
    rows: list[dict[str, Any]] = []
    for (metric, measure), (values, resampled) in _measured(results, judged, replicates).items():
        if measure in RELATIVE and outcomes.methods[REFERENCE] != results.outcomes.methods[REFERENCE]:
            continue
        band = bounded_band(values, resampled, BOUNDS.get(measure, ANY))
        rows.extend(
            {
                "method": method,
                "selection": rule,
                "metric": metric,
                "measure": measure,
                "value": band.point[index],
                "low": band.low[index],
                "high": band.high[index],
                "covers": judged.scores.covers,
            }
            for index, method in enumerate(outcomes.methods)
        )
    return rows


def chance_level(outcomes: Outcomes, metric: str) -> float:
    """What guessing scores: one over the classes for UAR, the share of the largest class for WAR."""
    counts = outcomes.class_counts
    return float(counts.max() / counts.sum()) if metric == "war" else 1 / int((counts > 0).sum())


def _measured(results: StudyResults, judged: Judged, replicates: int) -> dict[tuple[str, str], Both]:
    found: dict[tuple[str, str], Both] = {}
    suite = results.suite.restricted_to(judged.outcomes.conditions)
    for metric in METRICS_SHOWN:
        if suite.families():
            found |= {(metric, name): both for name, both in _of_scores(suite, judged, metric).items()}
    if suite.conditions:
        resampling = Resampling(replicates=replicates, seed=derive("report", results.dataset["fingerprint"]))
        changed, kept = flips(judged.outcomes, resampling), resisted(judged.outcomes, resampling)
        for metric in METRICS_SHOWN:
            of_clips = _of_clips(suite, judged.outcomes.conditions, (changed, kept), metric)
            found |= {(metric, name): both for name, both in of_clips.items()}
            if destroying := suite.families("order"):
                found[metric, "order_change"] = _order_change(judged, metric, destroying)
    return found


def _order_change(judged: Judged, metric: str, families: dict[str, tuple[Condition, ...]]) -> Both:
    """The score without the order of frames less the clean one: what is gained is set against what is lost."""
    outcomes, scores = judged
    both = scores.values[metric], scores.replicates[metric]
    values, replicates = _averaged(both, outcomes.conditions, families)
    return values - both[0][..., outcomes.clean], replicates - both[1][..., outcomes.clean]


def _of_scores(suite: Suite, judged: Judged, metric: str) -> dict[str, Both]:
    """Measures of mean scores."""
    outcomes, scores = judged
    chance = chance_level(outcomes, metric)
    measures: dict[str, Callable[[Robustness], np.ndarray]] = {
        "mean": lambda one: one.mean(),
        "relative": lambda one: one.relative(),
        "absolute": lambda one: one.absolute(),
        "retention": lambda one: one.retention(chance),
        "worst_family": lambda one: one.worst_family(),
        "worst_condition": lambda one: one.worst_condition(),
        "worst_tenth": lambda one: one.worst_tail(),
        "area_under_severity": lambda one: one.area_under_severity(),
        "corruption_error": lambda one: one.corruption_error(REFERENCE),
        "relative_corruption_error": lambda one: one.relative_corruption_error(REFERENCE),
    }
    observed, resampled = (
        Robustness(one[metric], outcomes.conditions, suite) for one in (scores.values, scores.replicates)
    )
    return {name: (measure(observed), measure(resampled)) for name, measure in measures.items()}


def _of_clips(
    suite: Suite, conditions: Sequence[Condition], scores: tuple[Scores, Scores], metric: str
) -> dict[str, Both]:
    """Measures of what becomes of each clip's answer; order-destroying conditions apart."""
    changed, kept = ((one.values[metric], one.replicates[metric]) for one in scores)
    found = {}
    if preserving := suite.families():
        found["flip_rate"] = _averaged(changed, conditions, preserving)
        found["resist_rate"] = _averaged(kept, conditions, preserving)
    if destroying := suite.families("order"):
        values, replicates = _averaged(kept, conditions, destroying)
        found["temporal_sensitivity"] = (1 - values, 1 - replicates)
    return found


def _averaged(
    scores: tuple[np.ndarray, np.ndarray], conditions: Sequence[Condition], families: dict[str, tuple[Condition, ...]]
) -> Both:
    values, replicates = (mean_over_families(family_means(one, conditions, families)) for one in scores)
    return values, replicates
