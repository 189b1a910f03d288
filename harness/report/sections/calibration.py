"""How far confidence can be trusted, on clean clips and under perturbation."""

from typing import NamedTuple

import pandas as pd

from harness.report.study_results import StudyResults

SHOWN = {"nll": "NLL", "brier": "Brier", "ece": "ECE", "classwise_ece": "Class-wise ECE", "aurc": "AURC"}


class CalibrationRow(NamedTuple):
    """One method: every calibration metric on clean clips and its mean under label-preserving perturbations."""

    method: str
    clean: list[float]
    perturbed: list[float] | None


def calibration_rows(results: StudyResults, metrics: pd.DataFrame) -> list[CalibrationRow]:
    """Means over folds, seeds and repeats; families of perturbations are averaged first."""
    test = metrics[(metrics["split"] == "test") & metrics["metric"].isin(list(SHOWN))]
    test = test.merge(results.confirmed[["trial_id", "method"]], on="trial_id")
    means = test.groupby(["method", "metric", "perturbation", "severity"])["value"].mean()
    families = results.suite.restricted_to(results.outcomes.conditions).families()
    rows = []
    for method in results.outcomes.methods:
        own = {metric: means.loc[method, metric] for metric in SHOWN}
        clean = [float(own[metric].loc["clean"].iloc[0]) for metric in SHOWN]
        perturbed = [float(_perturbed(own[metric], families)) for metric in SHOWN] if families else None
        rows.append(CalibrationRow(method, clean, perturbed))
    return rows


def _perturbed(values: pd.Series, families: dict) -> float:
    by_condition = {(name, float(severity)): value for (name, severity), value in values.items()}
    means = {
        family: sum(by_condition[one.perturbation, one.severity] for one in own) / len(own)
        for family, own in families.items()
    }
    return sum(means.values()) / len(means)
