"""What each rule of selection looked at: epochs on the test clips, and configurations on the validation clips."""

from typing import NamedTuple

import pandas as pd

from harness.errors import HarnessError
from harness.report.study_results import StudyResults
from harness.tables.schema import AUDIT
from harness.tables.store import read

AUDIT_METRIC = "uar"
"""Best on test is the first epoch with the highest UAR on the test fold."""


class EpochCurve(NamedTuple):
    """One training's clean test score after each epoch, in percent, and the epoch that validation clips chose."""

    fold: int
    seed: int
    epochs: list[int]
    scores: list[float]
    chosen: int | None

    @property
    def best(self) -> int:
        """The first epoch with the highest test score."""
        return self.epochs[self.scores.index(max(self.scores))]

    def at(self, epoch: int | None) -> float | None:
        """The score after an epoch; None where it was not measured."""
        return self.scores[self.epochs.index(epoch)] if epoch in self.epochs else None


class MethodCurves(NamedTuple):
    """A method's curves, one per training."""

    method: str
    curves: list[EpochCurve]


class Looked(NamedTuple):
    """How much a method's selection could choose from."""

    method: str
    trainings: int
    epochs: int | None
    configurations: int


def epoch_curves(results: StudyResults) -> list[MethodCurves]:
    """The audited trainings by method; a method without any is left out."""
    found = []
    for method in results.outcomes.methods:
        own = results.confirmed[results.confirmed["method"] == method]
        curves = [curve for row in own.to_dict("records") for curve in _curve(results, row)]
        if curves:
            found.append(MethodCurves(method, curves))
    return found


def looked_at(results: StudyResults) -> list[Looked]:
    """Trainings, audited epochs of each, and configurations tried, by method."""
    curves = {one.method: one.curves for one in epoch_curves(results)}
    searched = results.trials[results.trials["phase"] == "search"].groupby("method")["configuration"].nunique()
    return [
        Looked(
            method=method,
            trainings=results.outcomes.num_runs(method),
            epochs=max((len(curve.epochs) for curve in curves.get(method, ())), default=None),
            configurations=int(searched.get(method, 1)),
        )
        for method in results.outcomes.methods
    ]


def _curve(results: StudyResults, row: dict) -> list[EpochCurve]:
    path = results.units[row["trial_id"]].audit
    if not path.exists():
        return []
    frame = read(path, AUDIT).sort_values("epoch")
    if frame.empty:
        raise HarnessError(f"{path} holds no epoch. Delete it and run the study again.")
    selected = row["selected_epoch"]
    return [
        EpochCurve(
            fold=int(row["fold"]),
            seed=int(row["seed"]),
            epochs=frame["epoch"].astype(int).tolist(),
            scores=(100 * frame[f"test_{AUDIT_METRIC}"]).tolist(),
            chosen=None if pd.isna(selected) else int(selected),
        )
    ]
