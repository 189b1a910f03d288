"""A trial as Ray's callbacks for trackers see one."""

from __future__ import annotations

from typing import Any

from harness.paths import RunPaths
from harness.plan import Unit
from harness.schedule.tracking import hyperparameters, name_of


class Watched:
    """A trial as Ray's callbacks see one.

    Attributes:
        config: its settings.
        trial_id: a name that no other trial of any study has, and that it has again when it goes on.
        experiment_dir_name: what it is grouped under: the folds, seeds and configurations of a method.
        phase: search or confirm.
    """

    def __init__(self, run: RunPaths, unit: Unit) -> None:
        self.config: dict[str, Any] = dict(hyperparameters(unit))
        self.trial_id = f"{run.study}-{unit.phase}-{unit.configuration}-{unit.trial.trial_id}"
        self.experiment_dir_name = f"{run.study}/{unit.method}"
        self.phase = unit.phase
        self._name = name_of(unit)

    def __str__(self) -> str:
        return self._name
