"""The hyperparameter search: what was tried, what it scored on validation clips, what was chosen."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.report.sections.axes import Axis, axis, value_text
from harness.report.study_results import StudyResults
from harness.tables.schema import IMPORTANCE
from harness.tables.store import read

MIN_TO_JUDGE = 10
"""Configurations below which no importance is computed: five above the median are the least that PED-ANOVA advises."""


class Tried(NamedTuple):
    """One configuration: its values by parameter, its mean validation UAR and WAR, and what became of it.

    ``spent`` is what it cost: the folds that it was trained on.
    """

    number: int
    values: dict[str, Any]
    val_uar: float | None
    val_war: float | None
    status: str
    chosen: bool
    spent: float

    def text(self, name: str) -> str:
        """A parameter's value for people; a dash where it was not searched in this configuration."""
        return value_text(self.values[name]) if name in self.values else "–"  # noqa: RUF001


class Share(NamedTuple):
    """How much of a search's success a parameter explains, a fraction."""

    parameter: str
    share: float


class Search(NamedTuple):
    """One method's search, best configuration first; importances where they were computed, and by what."""

    method: str
    axes: list[Axis]
    tried: list[Tried]
    importances: list[Share]
    evaluator: str
    metric: str

    def score(self, one: Tried) -> float:
        """A scored configuration's mean validation score, by the metric that the search made large."""
        score = one.val_war if self.metric == "war" else one.val_uar
        if score is None:
            raise ValueError(f"configuration {one.number} of {self.method} has no score")
        return score

    @property
    def names(self) -> list[str]:
        """The searched parameters."""
        return [one.name for one in self.axes]

    @property
    def scored(self) -> list[Tried]:
        """Configurations with a score on every fold, best first."""
        return [one for one in self.tried if one.val_uar is not None]


def searches(results: StudyResults) -> list[Search]:
    """Every method that was searched."""
    rows = results.trials[results.trials["phase"] == "search"]
    importances, metric = _importances(results), search_metric(results.study)
    return [
        _search(own, str(method), metric, _domains(results.study, str(method)), importances)
        for method, own in rows.groupby("method", sort=False)
    ]


def chosen_recipes(trials: pd.DataFrame) -> list[tuple[str, str]]:
    """Every method with the recipe that its confirmed trials were trained with, as indented JSON."""
    confirm = trials[trials["phase"] == "confirm"].drop_duplicates("method")
    recipes = zip(confirm["method"], confirm["recipe"], strict=True)
    return [(str(method), json.dumps(json.loads(str(text)), indent=2, sort_keys=True)) for method, text in recipes]


def search_metric(study: Mapping[str, Any]) -> str:
    """What the search made large: ``uar`` unless the study asks for ``war``."""
    asked = study.get("search") or {}
    first = (asked.get("metrics") or [asked.get("metric") or "uar"])[0]
    return "war" if first == "war" else "uar"


def _domains(study: Mapping[str, Any], method: str) -> dict[str, Any]:
    """The searched domains as the study writes them; none for a method of a merged board."""
    written = study.get("methods", {}).get(method) or {}
    return dict(written.get("search") or {})


def _importances(results: StudyResults) -> pd.DataFrame:
    path = results.run.table(IMPORTANCE.name)
    return read(path, IMPORTANCE) if path.exists() else pd.DataFrame(columns=IMPORTANCE.schema.names)


def _search(rows: pd.DataFrame, method: str, metric: str, domains: dict[str, Any], importances: pd.DataFrame) -> Search:
    tried = [_tried(int(number), own) for number, own in rows.groupby("configuration")]
    names = sorted({name for one in tried for name in one.values})
    axes = [axis(name, domains.get(name), [one.values[name] for one in tried if name in one.values]) for name in names]
    own = importances[importances["method"] == method].sort_values("importance", ascending=False)
    shares = [Share(str(row["parameter"]), float(row["importance"])) for row in own.to_dict("records")]
    evaluator = str(own["evaluator"].iloc[0]) if len(own) else ""
    ordered = sorted(tried, key=lambda one: (-(_score(one, metric) or -1.0), one.number))
    return Search(method, axes, ordered, shares, evaluator, metric)


def _score(one: Tried, metric: str) -> float | None:
    return one.val_war if metric == "war" else one.val_uar


def _tried(number: int, rows: pd.DataFrame) -> Tried:
    return Tried(
        number=number,
        values=dict(json.loads(rows["searched"].iloc[0])),
        val_uar=_mean(rows["val_uar"]),
        val_war=_mean(rows["val_war"]),
        status=", ".join(sorted(set(rows["status"]))),
        chosen=bool(rows["chosen"].any()),
        spent=float((rows["status"] != "missing").sum()),
    )


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(np.mean(known)) if len(known) == len(values) else None
