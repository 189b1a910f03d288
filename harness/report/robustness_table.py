"""The robustness table of a study: every measure of every method, in its UAR and its WAR form, with intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from harness.report.findings import Findings
from harness.report.leaderboard import METRICS_SHOWN
from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.stats.aggregate import family_means, mean_over_families
from harness.stats.bootstrap import Resampling, Scores
from harness.stats.consistency import flips, resisted
from harness.stats.interval import percentile_band
from harness.stats.outcomes import Outcomes
from harness.stats.robustness import Robustness
from harness.tables.schema import ROBUSTNESS

REFERENCE = 0
"""Corruption errors are relative to the study's first method."""

Both = tuple[Float[np.ndarray, " m"], Float[np.ndarray, "b m"]]
"""A measure's values and replicates."""


def robustness_table(results: StudyResults, findings: Findings, replicates: int = 1000) -> pd.DataFrame:
    """One row per method, metric and measure in the ROBUSTNESS schema; none for a study without perturbations.

    Corruption errors are left out where the reference makes no error under some perturbation, in some replicate.
    """
    outcomes = results.outcomes
    rows: list[dict[str, Any]] = []
    for (metric, measure), (values, resampled) in _measured(results, findings, replicates).items():
        if not np.isfinite(resampled).all() or not np.isfinite(values).all():
            continue
        band = percentile_band(values, resampled)
        rows.extend(
            {
                "method": method,
                "metric": metric,
                "measure": measure,
                "value": band.point[index],
                "low": band.low[index],
                "high": band.high[index],
                "covers": findings.scores.covers,
            }
            for index, method in enumerate(outcomes.methods)
        )
    return pd.DataFrame(rows, columns=ROBUSTNESS.schema.names)


def chance_level(outcomes: Outcomes, metric: str) -> float:
    """What guessing scores: one over the classes for UAR, the share of the largest class for WAR."""
    counts = outcomes.class_counts
    return float(counts.max() / counts.sum()) if metric == "war" else 1 / int((counts > 0).sum())


def _measured(results: StudyResults, findings: Findings, replicates: int) -> dict[tuple[str, str], Both]:
    found: dict[tuple[str, str], Both] = {}
    suite = results.suite.restricted_to(results.outcomes.conditions)
    for metric in METRICS_SHOWN:
        if suite.families():
            found |= {(metric, name): both for name, both in _of_scores(results, findings, metric).items()}
    if suite.conditions:
        resampling = Resampling(replicates=replicates, seed=derive("report", results.dataset["fingerprint"]))
        changed, kept = flips(results.outcomes, resampling), resisted(results.outcomes, resampling)
        for metric in METRICS_SHOWN:
            found |= {(metric, name): both for name, both in _of_clips(results, (changed, kept), metric).items()}
    return found


def _of_scores(results: StudyResults, findings: Findings, metric: str) -> dict[str, Both]:
    """Measures of mean scores."""
    outcomes, scores = results.outcomes, findings.scores
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
        Robustness(one[metric], outcomes.conditions, results.suite) for one in (scores.values, scores.replicates)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: (measure(observed), measure(resampled)) for name, measure in measures.items()}


def _of_clips(results: StudyResults, scores: tuple[Scores, Scores], metric: str) -> dict[str, Both]:
    """Measures of what becomes of each clip's answer; order-destroying conditions apart."""
    changed, kept = scores
    suite = results.suite.restricted_to(results.outcomes.conditions)
    found = {}
    if suite.families():
        found = {"flip_rate": _averaged(changed, results, metric), "resist_rate": _averaged(kept, results, metric)}
    if suite.families("order"):
        values, replicates = _averaged(kept, results, metric, "order")
        found["temporal_sensitivity"] = (1 - values, 1 - replicates)
    return found


def _averaged(scores: Scores, results: StudyResults, metric: str, preserving: str = "yes") -> Both:
    families = results.suite.restricted_to(results.outcomes.conditions).families(preserving)
    values, replicates = (
        mean_over_families(family_means(one[metric], results.outcomes.conditions, families))
        for one in (scores.values, scores.replicates)
    )
    return values, replicates
