"""What a search reads of finished units: validation scores from stored logits, never from what a worker remembers."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from harness.errors import HarnessError
from harness.paths import UnitPaths
from harness.plan import Unit
from harness.plugins import load
from harness.spec.search import Objective
from harness.spec.study import StudySpec
from harness.spec.trial import Condition
from harness.tables import schema, store
from harness.train.conditions import parts, suite
from harness.train.record import read_record
from perturbations._apply import SUITE_VERSION

SUITE = "validation"
"""The only perturbations that a search may see; none of them is in the suites that methods are compared on."""


@dataclass(frozen=True, kw_only=True)
class SearchScores:
    """Scores of search units on storage.

    Attributes:
        study: names the objectives.
        num_classes: of the data set.
        find: where the training that a unit asks for lies; ``None`` if it has no result.
    """

    study: StudySpec
    num_classes: int
    find: Callable[[Unit], UnitPaths | None]

    @property
    def val_conditions(self) -> tuple[Condition, ...]:
        """What a search shows its validation clips under; nothing unless robustness is an objective."""
        return validation_conditions() if _asks_for_robustness(self.study) else ()

    def score(self, unit: Unit) -> float | None:
        """The first objective of a unit that has ended; ``None`` if it diverged or has no result."""
        objective: Objective = self.study.search.objectives[0] if self.study.search else "uar"
        paths = self.find(unit)
        if paths is None or read_record(paths)["status"] not in {"done", "stopped"}:
            return None
        if unit.stop_after is None:
            return self._objective(paths, objective)
        rows = store.read(paths.epochs, schema.EPOCHS, ["epoch", "val_war", "val_uar", "val_loss"])
        return best_until(rows, objective, unit.trial.training.select_on, unit.stop_after)

    def further(self, unit: Unit, objective: Objective) -> float:
        """An objective of a unit that is done."""
        paths = self.find(unit)
        if paths is None:
            raise ValueError(f"{unit.label} has no result")
        return self._objective(paths, objective)

    def _objective(self, paths: UnitPaths, objective: Objective) -> float:
        if objective == "validation_robustness":
            return self._robustness(paths)
        found = validation_logits(paths.predictions("val"), self.num_classes)
        return float(load("metric", objective).compute(found.logits, found.labels))

    def _robustness(self, paths: UnitPaths) -> float:
        """Mean UAR over the validation suite: over severities and draws of a perturbation, then over perturbations."""
        by_perturbation: dict[str, list[float]] = defaultdict(list)
        for path in sorted(paths.folder.glob(f"predictions-val-v{SUITE_VERSION}-*.parquet")):
            found = validation_logits(path, self.num_classes)
            for (name, severity, _), own in found.cells.items():
                if Condition(perturbation=name, severity=severity) in self.val_conditions:
                    score = load("metric", "uar").compute(found.logits[own], found.labels[own])
                    by_perturbation[name].append(float(score))
        return fmean(fmean(scores) for _, scores in sorted(by_perturbation.items()))


class ValidationLogits(NamedTuple):
    """Stored logits on validation clips, their labels, and the rows of each perturbation, severity and repeat."""

    logits: Float[np.ndarray, "n k"]
    labels: Int[np.ndarray, " n"]
    cells: dict[tuple[str, float, int], np.ndarray]


def validation_logits(path: Path, num_classes: int) -> ValidationLogits:
    """One predictions file of validation clips."""
    columns = ["perturbation", "severity", "repeat", "label", "logits"]
    rows = store.read_arrow(path, schema.predictions(num_classes), columns)
    logits = rows["logits"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, num_classes)
    cells = rows.select(columns[:3]).to_pandas().groupby(columns[:3], sort=True).indices
    named = {(str(name), float(severity), int(repeat)): own for (name, severity, repeat), own in cells.items()}
    return ValidationLogits(logits, rows["label"].to_numpy(), named)


def best_until(rows: pd.DataFrame, objective: str, select_on: str, epoch: int) -> float | None:
    """The score of the epoch that is selected among the first ``epoch``; ties go to the lower loss, then the earlier.

    Args:
        rows: of the epochs table, of one trial.
        objective: ``uar`` or ``war``.
        select_on: the training's rule; ``last`` selects the last epoch.
        epoch: counted from 1.
    """
    seen = rows[rows["epoch"] <= epoch]
    if len(seen) == 0:
        return None
    if select_on == "last":
        selected = seen.sort_values("epoch").iloc[-1]
    else:
        order = [f"val_{select_on}", "val_loss", "epoch"]
        selected = seen.sort_values(order, ascending=[False, True, True]).iloc[0]
    return float(selected[f"val_{objective}"])


def validation_conditions() -> tuple[Condition, ...]:
    """The members of the validation suite at their severities."""
    members = suite(SUITE).members
    return tuple(
        Condition(perturbation=one.perturbation, severity=severity) for one in members for severity in one.severities
    )


def check_search_sees_no_test_condition(study: StudySpec) -> None:
    """A search for robustness must not be shown what its methods are compared under, nor a part of it.

    Raises:
        HarnessError: if the study tests a perturbation of the validation suite, at any levels, alone or combined.
    """
    if not _asks_for_robustness(study):
        return
    seen = frozenset[str]().union(*(parts(one.perturbation) for one in validation_conditions()))
    shared = {name: sorted(seen & parts(name)) for name in sorted(study.stress.names)}
    told = [
        name if name in known else f"{name} (made of {', '.join(known)})" for name, known in shared.items() if known
    ]
    if told:
        raise HarnessError(
            f"stress names {', '.join(told)}, which a search for validation_robustness is shown. Take them out of "
            "stress, or validation_robustness out of search.metrics."
        )


def _asks_for_robustness(study: StudySpec) -> bool:
    return study.search is not None and "validation_robustness" in study.search.objectives
