"""The search table: every configuration, how far it was taken, what it scored, what became of it and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.plan import search_of
from harness.schedule.search.configuration import Configuration
from harness.schedule.search.method_search import MethodSearch
from harness.spec.search import Objective, SearchSpec
from harness.spec.space import point_values
from harness.spec.study import StudySpec


def search_rows(study: StudySpec, searches: Mapping[str, MethodSearch]) -> pd.DataFrame:
    """Rows of the SEARCH table."""
    spec = search_of(study)
    rows = []
    for name, search in searches.items():
        method = study.methods[name]
        points = [point_values(method, point) for point in method.points]
        front = pareto_front(list(search.configurations.values()), spec.objectives)
        for number, one in search.configurations.items():
            origin = "written" if number == 0 else "point" if one.values in points else spec.sampler
            found = {"origin": origin, "front": number in front, "chosen": number == search.chosen}
            rows.append({"method": name, **_row(one, spec), **found})
    return pd.DataFrame(rows)


def _row(one: Configuration, spec: SearchSpec) -> dict[str, Any]:
    return {
        "configuration": one.number,
        "known": one.known,
        "values": json.dumps(one.values, sort_keys=True),
        "status": one.status,
        "reason": one.reason,
        "folds": list(one.folds),
        "scores": [one.scores.get(fold) for fold in one.folds],
        "halts": sorted(one.halts.items()),
        "score": one.objectives.get(spec.objectives[0]),
        "estimate": one.estimate,
        "objectives": list(one.objectives.items()),
        "cost": one.cost,
    }


def pareto_front(configurations: Sequence[Configuration], objectives: Sequence[Objective]) -> set[int]:
    """Numbers of the complete configurations that no other is at least as good as in all and better in one."""
    complete = [one for one in configurations if one.status == "complete"]
    signs = [-1.0 if name == "cost" else 1.0 for name in objectives]
    points = np.array(
        [[sign * one.objectives[name] for name, sign in zip(objectives, signs, strict=True)] for one in complete]
    )
    return {
        one.number
        for one, point in zip(complete, points, strict=True)
        if not ((points >= point).all(axis=1) & (points > point).any(axis=1)).any()
    }
