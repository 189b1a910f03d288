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
from harness.schedule.search.asking import distribution
from harness.spec.domain import Domain
from harness.spec.study import StudySpec
from harness.tables import schema, store

TARGET = 0.5
"""What counts as success: a score in the better half. With few configurations a smaller share would hold too few."""

MIN_CONFIGURATIONS = 10
"""Scored configurations from which importances are computed; Optuna advises five or more in the better part."""

EVALUATOR = "PED-ANOVA, better half"
"""Watanabe, Bansal & Hutter, IJCAI 2023; it draws nothing, so equal searches give equal numbers."""


def write_importances(run: RunPaths, study: StudySpec) -> None:
    """Write the importance table of a finished study from its search table; none where nothing was searched."""
    if not run.table(schema.SEARCH.name).exists():
        return
    domains = {name: dict(method.search) for name, method in study.methods.items()}
    found = importances(store.read(run.table(schema.SEARCH.name), schema.SEARCH), domains)
    store.write(found, schema.IMPORTANCE, run.table(schema.IMPORTANCE.name))


def importances(searched: pd.DataFrame, domains: Mapping[str, Mapping[str, Domain]]) -> pd.DataFrame:
    """Rows of the IMPORTANCE table, from rows of the SEARCH table and each method's domains by path.

    A configuration counts by the score that its sampler was told: over all folds, or the estimate of one that was raced
    out. Methods with fewer than ``MIN_CONFIGURATIONS`` of those, or with equal scores throughout, have no row.
    """
    rows: list[dict[str, Any]] = []
    for method, own in searched.groupby("method", sort=True):
        judged = own.assign(score=own["score"].where(own["status"] == "complete", own["estimate"])).dropna(
            subset="score"
        )
        if len(judged) < MIN_CONFIGURATIONS or judged["score"].nunique() == 1:
            continue
        found = _shares(judged.sort_values("configuration"), domains[str(method)])
        rows.extend(
            {
                "method": method,
                "parameter": name,
                "importance": share,
                "evaluator": EVALUATOR,
                "num_configurations": len(judged),
            }
            for name, share in found.items()
        )
    return pd.DataFrame(rows, columns=schema.IMPORTANCE.schema.names)


def _shares(judged: pd.DataFrame, domains: Mapping[str, Domain]) -> dict[str, float]:
    """Shares that sum to one, by parameter."""
    known = {path: distribution(domain) for path, domain in domains.items()}
    values = [json.loads(text) for text in judged["values"]]
    trials = [
        create_trial(
            state=TrialState.COMPLETE, params=one, distributions={path: known[path] for path in one}, value=float(score)
        )
        for one, score in zip(values, judged["score"], strict=True)
    ]
    with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction="maximize")
        study.add_trials(trials)
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=TARGET))
    return {name: float(share) for name, share in found.items()}
