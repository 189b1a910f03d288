"""Which searched parameters mattered: PED-ANOVA on the finished configurations of each method's search."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from harness.paths import RunPaths
from harness.schedule.asking import distribution
from harness.spec.method import Domain
from harness.spec.study import StudySpec
from harness.tables import schema, store

TARGET = 0.5
"""What counts as success: a score in the better half. With few configurations a smaller share would hold too few."""

MIN_CONFIGURATIONS = 10
"""Scored configurations from which importances are computed; Optuna advises five or more in the better part."""

EVALUATOR = "PED-ANOVA, better half"
"""Watanabe, Bansal & Hutter, IJCAI 2023; it draws nothing, so equal searches give equal numbers."""


def write_importances(run: RunPaths, study: StudySpec) -> None:
    """Write the importance table of a finished study from its trials table; no table where there is no search."""
    domains = {name: dict(method.search) for name, method in study.methods.items() if method.search}
    if not domains:
        return
    trials = store.read(run.table("trials"), schema.TRIALS)
    metric = "war" if study.search and study.search.metric == "war" else "uar"
    frame = importances(trials, domains, f"val_{metric}")
    store.write(frame, schema.IMPORTANCE, run.table(schema.IMPORTANCE.name))


def importances(trials: pd.DataFrame, domains: Mapping[str, Mapping[str, Domain]], score: str) -> pd.DataFrame:
    """Rows of the IMPORTANCE table.

    A configuration counts if it has a score on every fold that it was meant for. Methods with fewer than
    ``MIN_CONFIGURATIONS`` of those, or with equal scores throughout, have no row.
    """
    rows: list[dict[str, Any]] = []
    searched = trials[trials["phase"] == "search"]
    for method, own in searched.groupby("method", sort=True):
        scored = _scored(own, score)
        if len(scored) < MIN_CONFIGURATIONS or len(set(scored.values())) == 1:
            continue
        values = {int(row["configuration"]): json.loads(row["searched"]) for row in own.to_dict("records")}
        found = _shares({number: values[number] for number in scored}, scored, domains[str(method)])
        rows.extend(
            {
                "method": method,
                "parameter": name,
                "importance": share,
                "evaluator": EVALUATOR,
                "num_configurations": len(scored),
            }
            for name, share in found.items()
        )
    return pd.DataFrame(rows, columns=schema.IMPORTANCE.schema.names)


def _scored(rows: pd.DataFrame, score: str) -> dict[int, float]:
    """Mean score over folds of the configurations that have one on every fold."""
    whole = rows.groupby("configuration")[score].agg(["mean", "count", "size"])
    kept = whole[whole["count"] == whole["size"]]
    return {int(number): float(mean) for number, mean in kept["mean"].items()}


def _shares(
    values: Mapping[int, Mapping[str, Any]], scores: Mapping[int, float], domains: Mapping[str, Domain]
) -> dict[str, float]:
    """Shares that sum to one, by parameter."""
    known = {path: distribution(domain) for path, domain in domains.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction="maximize")
        study.add_trials(
            [
                create_trial(
                    state=TrialState.COMPLETE,
                    params=dict(values[number]),
                    distributions={path: known[path] for path in values[number]},
                    value=scores[number],
                )
                for number in sorted(scores)
            ]
        )
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=TARGET))
    return {name: float(share) for name, share in found.items()}
