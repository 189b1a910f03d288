"""How far confidence can be trusted, on clean clips and under perturbation."""

from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from harness.report.study_results import StudyResults
from harness.spec.trial import CLEAN, Condition
from harness.tables.selections import AUDITED, RANKED, RULES

SHOWN = {"nll": "NLL", "brier": "Brier", "ece": "ECE", "classwise_ece": "Class-wise ECE", "aurc": "AURC"}

SCALED = {"ece": "ECE", "classwise_ece": "Class-wise ECE", "nll": "NLL", "brier": "Brier"}
"""What is shown before and after temperature scaling."""

SCALED_COLUMNS = ("scaled", "scaled_low", "scaled_high")

Triple = tuple[float, float, float]
"""A number with its limits."""

Values = dict[tuple[str, str, str, float], float]
"""A metric's mean over folds, seeds and repeats, by method, metric, perturbation and severity."""


class CalibrationRow(NamedTuple):
    """One method: every calibration metric on clean clips and its mean under label-preserving perturbations."""

    method: str
    clean: list[float]
    perturbed: list[float] | None


class ScaledRow(NamedTuple):
    """One method: mean temperature, and (value, low, high) of each of ``SCALED`` as trained and after scaling."""

    method: str
    temperature: float
    pairs: list[tuple[Triple, Triple]]


class RuledCalibration(NamedTuple):
    """One method and metric: (value, low, high) as trained and after scaling, under each selection rule."""

    method: str
    metric: str
    pairs: list[tuple[Triple, Triple]]


def ruled_calibration(table: pd.DataFrame) -> list[RuledCalibration]:
    """The CALIBRATION table with the three rules side by side; none of a method that is not known under all."""
    by_rule = {rule: {row.method: row for row in scaled_rows(table, rule)} for rule in RULES}
    methods = [method for method in by_rule[RANKED] if all(method in own for own in by_rule.values())]
    return [
        RuledCalibration(method, title, [own[method].pairs[index] for own in by_rule.values()])
        for method in methods
        for index, title in enumerate(SCALED.values())
    ]


def scaled_rows(table: pd.DataFrame, rule: str = RANKED) -> list[ScaledRow]:
    """The CALIBRATION table under one selection rule by method."""
    rows = []
    for method, own in table[table["selection"] == rule].groupby("method", sort=False):
        cells = {str(row["metric"]): row for row in own.to_dict("records")}
        pairs = [
            (_triple(cells[metric], ("value", "low", "high")), _triple(cells[metric], SCALED_COLUMNS))
            for metric in SCALED
        ]
        rows.append(ScaledRow(str(method), float(own["temperature"].iloc[0]), pairs))
    return rows


def _triple(row: dict[Any, Any], names: tuple[str, str, str]) -> Triple:
    value, low, high = (float(row[name]) for name in names)
    return value, low, high


def calibration_rows(results: StudyResults, metrics: pd.DataFrame) -> list[CalibrationRow]:
    """Means over folds, seeds and repeats; families of perturbations are averaged first."""
    values = ranked_means(results, metrics, list(SHOWN))
    families = results.suite.restricted_to(results.outcomes.conditions).families()
    rows = []
    for method in results.outcomes.methods:
        clean = [values[method, metric, CLEAN, 0.0] for metric in SHOWN]
        perturbed = [_perturbed(values, method, metric, families) for metric in SHOWN] if families else None
        rows.append(CalibrationRow(method, clean, perturbed))
    return rows


def ranked_means(results: StudyResults, metrics: pd.DataFrame, names: list[str]) -> Values:
    """Means over folds, seeds and repeats of test clips at the epochs that are ranked."""
    ranked = (metrics["split"] == "test") & ~metrics["selection"].isin(AUDITED)
    test = metrics[ranked & metrics["metric"].isin(names)]
    test = test.merge(results.confirmed[["trial_id", "method"]], on="trial_id")
    means = test.groupby(["method", "metric", "perturbation", "severity"])["value"].mean().reset_index()
    return {
        (row["method"], row["metric"], row["perturbation"], float(row["severity"])): float(row["value"])
        for row in means.to_dict("records")
    }


def _perturbed(values: Values, method: str, metric: str, families: dict[str, tuple[Condition, ...]]) -> float:
    means = [fmean(values[method, metric, one.perturbation, one.severity] for one in own) for own in families.values()]
    return fmean(means)
