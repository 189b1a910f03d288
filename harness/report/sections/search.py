"""The hyperparameter search: what was tried, what it scored on validation clips, what was chosen."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from harness.report.sections.axes import Axis, axis, value_text
from harness.report.study_results import StudyResults, method_order
from harness.tables.schema import IMPORTANCE, SEARCH
from harness.tables.store import read

MIN_TO_JUDGE = 10
"""Configurations below which no importance is computed: five above the median are the least that PED-ANOVA advises."""

OBJECTIVES = {
    "uar": "validation UAR (%)",
    "war": "validation WAR (%)",
    "validation_robustness": "validation UAR under perturbation (%)",
    "cost": "cost (trainings)",
}
"""What a search can be judged by, in words; all but the cost are fractions on storage."""


class Tried(NamedTuple):
    """One configuration: its values by parameter, what it scored by objective, what it cost, and what became of it.

    ``objectives`` is empty unless it was trained on every fold; ``estimate`` is what one that was raced out would have
    scored by the first objective, from the folds that it was trained on; ``cost`` is in trainings.
    """

    number: int
    values: dict[str, Any]
    objectives: dict[str, float]
    estimate: float | None
    status: str
    reason: str
    chosen: bool
    front: bool
    cost: float

    def text(self, name: str) -> str:
        """A parameter's value for people; a dash where it was not searched in this configuration."""
        return value_text(self.values[name]) if name in self.values else "–"  # noqa: RUF001

    def shown(self, objective: str) -> float | None:
        """An objective in the unit of its words."""
        value = self.objectives.get(objective)
        return value if value is None or objective == "cost" else 100 * value


class Share(NamedTuple):
    """How much of a search's success a parameter explains, a fraction."""

    parameter: str
    share: float


class Search(NamedTuple):
    """One method's search, best configuration first; importances where they were computed, and by what."""

    method: str
    objectives: list[str]
    axes: list[Axis]
    tried: list[Tried]
    importances: list[Share]
    evaluator: str

    @property
    def names(self) -> list[str]:
        """The searched parameters."""
        return [one.name for one in self.axes]

    @property
    def scored(self) -> list[Tried]:
        """Configurations with a score on every fold, best first."""
        return [one for one in self.tried if self.objectives[0] in one.objectives]

    def score(self, one: Tried) -> float:
        """A scored configuration by the first objective, which chose; in the unit of its words."""
        score = one.shown(self.objectives[0])
        if score is None:
            raise ValueError(f"configuration {one.number} of {self.method} has no score")
        return score

    @property
    def score_words(self) -> str:
        """The first objective in words."""
        return OBJECTIVES[self.objectives[0]]


def searches(results: StudyResults) -> list[Search]:
    """Every method that was searched, in the study's order: from the search table, or from the trials."""
    path = results.run.table(SEARCH.name)
    objectives = asked_objectives(results.study)
    table = read(path, SEARCH) if path.exists() else _from_trials(results.trials, objectives[0])
    table = table[table["method"].isin(list(results.outcomes.methods))]
    importances = _importances(results)
    searched = dict(list(table.groupby("method", sort=False)))
    return [
        _search(searched[method], objectives, _domains(results.study, method), importances)
        for method in results.outcomes.methods
        if method in searched
    ]


def chosen_recipes(results: StudyResults) -> list[tuple[str, str]]:
    """Every method, in the study's order, with the recipe of its confirmed trials as indented JSON."""
    confirm = results.trials[results.trials["phase"] == "confirm"].drop_duplicates("method").set_index("method")
    order = method_order(results.study, confirm.reset_index())
    texts = {method: json.loads(str(confirm.loc[method, "recipe"])) for method in order}
    return [(method, json.dumps(recipe, indent=2, sort_keys=True)) for method, recipe in texts.items()]


def asked_objectives(study: Mapping[str, Any]) -> list[str]:
    """What the search judged configurations by, the one that chose first; UAR unless the study says otherwise."""
    asked = study.get("search") or {}
    return [str(name) for name in asked.get("metrics") or [asked.get("metric") or "uar"]]


def _domains(study: Mapping[str, Any], method: str) -> dict[str, Any]:
    """The searched domains as the study writes them; none for a method of a merged board."""
    written = study.get("methods", {}).get(method) or {}
    return dict(written.get("search") or {})


def _importances(results: StudyResults) -> pd.DataFrame:
    path = results.run.table(IMPORTANCE.name)
    return read(path, IMPORTANCE) if path.exists() else pd.DataFrame(columns=IMPORTANCE.schema.names)


def _from_trials(trials: pd.DataFrame, objective: str) -> pd.DataFrame:
    """The columns of the search table that are shown, from a trials table; every fold counts as one training."""
    searched = trials[trials["phase"] == "search"]
    rows = []
    for (method, number), own in searched.groupby(["method", "configuration"], sort=False):
        scores = own[f"val_{objective}"] if objective in {"uar", "war"} else own["val_uar"]
        complete = scores.notna().all()
        rows.append(
            {
                "method": method,
                "configuration": number,
                "values": own["searched"].iloc[0],
                "status": "complete" if complete else ", ".join(sorted(set(own["status"]))),
                "reason": "",
                "objectives": [(objective, float(scores.mean()))] if complete else [],
                "estimate": None,
                "front": False,
                "chosen": own["chosen"].any(),
                "cost": float((own["status"] != "missing").sum()),
            }
        )
    return pd.DataFrame(rows, columns=SEARCH.schema.names)


def _search(rows: pd.DataFrame, objectives: list[str], domains: dict[str, Any], importances: pd.DataFrame) -> Search:
    method = str(rows["method"].iloc[0])
    tried = [_tried(row) for row in rows.to_dict("records")]
    names = sorted({name for one in tried for name in one.values})
    axes = [axis(name, domains.get(name), [one.values[name] for one in tried if name in one.values]) for name in names]
    own = importances[importances["method"] == method].sort_values("importance", ascending=False)
    shares = [Share(str(row["parameter"]), float(row["importance"])) for row in own.to_dict("records")]
    evaluator = str(own["evaluator"].iloc[0]) if len(own) else ""
    ordered = sorted(tried, key=lambda one: (-one.objectives.get(objectives[0], -1.0), one.number))
    return Search(method, objectives, axes, ordered, shares, evaluator)


def _tried(row: dict[Any, Any]) -> Tried:
    estimate = row["estimate"]
    complete = row["status"] == "complete"
    return Tried(
        number=int(row["configuration"]),
        values=dict(json.loads(row["values"])),
        objectives={str(name): float(value) for name, value in row["objectives"]} if complete else {},
        estimate=None if estimate is None or pd.isna(estimate) else float(estimate),
        status=str(row["status"]).replace("_", " "),
        reason=str(row["reason"] or ""),
        chosen=bool(row["chosen"]),
        front=bool(row["front"]),
        cost=float(row["cost"]),
    )
