"""The hyperparameter search: what was tried, what it scored on validation clips, what was chosen."""

import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Tried(NamedTuple):
    """One configuration: its values, its mean validation UAR and WAR in percent, and whether it was chosen."""

    number: int
    values: list[str]
    val_uar: float | None
    val_war: float | None
    status: str
    chosen: bool


class Search(NamedTuple):
    """One method's search, best configuration first."""

    method: str
    names: list[str]
    tried: list[Tried]


def searches(trials: pd.DataFrame) -> list[Search]:
    """Every method that was searched."""
    rows = trials[trials["phase"] == "search"]
    return [_search(str(method), own) for method, own in rows.groupby("method", sort=False)]


def chosen_recipes(trials: pd.DataFrame) -> list[tuple[str, str]]:
    """Every method with the recipe that its confirmed trials were trained with, as indented JSON."""
    confirm = trials[trials["phase"] == "confirm"].drop_duplicates("method")
    recipes = zip(confirm["method"], confirm["recipe"], strict=True)
    return [(str(method), json.dumps(json.loads(str(text)), indent=2, sort_keys=True)) for method, text in recipes]


def _search(method: str, rows: pd.DataFrame) -> Search:
    names = sorted({name for text in rows["searched"] for name in json.loads(text)})
    tried = [_tried(number, rows[rows["configuration"] == number], names) for number in set(rows["configuration"])]
    return Search(method, names, sorted(tried, key=lambda one: (-(one.val_uar or -1.0), one.number)))


def _tried(number: int, rows: pd.DataFrame, names: list[str]) -> Tried:
    values = json.loads(rows["searched"].iloc[0])
    return Tried(
        number=int(number),
        values=[_value_text(values.get(name)) for name in names],
        val_uar=_mean(rows["val_uar"]),
        val_war=_mean(rows["val_war"]),
        status=", ".join(sorted(set(rows["status"]))),
        chosen=bool(rows["chosen"].any()),
    )


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(np.mean(known)) if len(known) == len(values) else None


def _value_text(value: Any) -> str:
    if value is None:
        return "as written"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
