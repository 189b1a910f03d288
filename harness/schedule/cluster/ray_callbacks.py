"""Ray's own bridge to MLflow, driven by what the driver hears; the one place that may import ``ray.air``."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import os
from collections.abc import Mapping
from typing import Any

from ray.air.integrations.mlflow import MLflowLoggerCallback

from harness.paths import RunPaths
from harness.plan import Unit
from harness.schedule.tracking import hyperparameters, name_of


class _Watched:
    """A trial as Ray's callbacks see one: its settings, and a name."""

    def __init__(self, unit: Unit) -> None:
        self.config: dict[str, Any] = dict(hyperparameters(unit))
        self._name = name_of(unit)

    def __str__(self) -> str:
        return self._name


class MlflowTracker:
    """An MLflow run for each trial, in an experiment for each study.

    ``MLFLOW_TRACKING_URI`` says where; without it, a SQLite file in the study's folder.
    """

    def __init__(self, run: RunPaths) -> None:
        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{run.folder.absolute() / 'mlflow.db'}"
        self._callback = MLflowLoggerCallback(tracking_uri=uri, experiment_name=f"dferbench/{run.study}")
        self._callback.setup()
        self._trials: dict[str, _Watched] = {}

    def begin(self, unit: Unit) -> None:
        """Open the trial's run, with its settings."""
        trial = self._trials[name_of(unit)] = _Watched(unit)
        self._callback.log_trial_start(trial)

    def epoch(self, unit: Unit, number: int, values: Mapping[str, float]) -> None:
        """A point on each curve."""
        self._callback.log_trial_result(number, self._trials[name_of(unit)], {**values, "training_iteration": number})

    def end(self, unit: Unit, results: Mapping[str, float], *, failed: bool) -> None:
        """The results, and how it ended."""
        trial = self._trials.pop(name_of(unit))
        named = {f"result/{name}": value for name, value in results.items()}
        last = unit.trial.training.epochs
        if named:
            self._callback.log_trial_result(last, trial, {**named, "training_iteration": last})
        self._callback.log_trial_end(trial, failed=failed)
