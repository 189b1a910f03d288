"""Ray's own bridge to MLflow, driven by what the driver hears, so with ``--local`` too."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import os
from collections.abc import Mapping

from ray.air.integrations.mlflow import MLflowLoggerCallback

from harness.paths import RunPaths
from harness.plan import Unit
from harness.schedule.cluster.watched import Watched
from harness.schedule.tracking import name_of


class MlflowTracker:
    """An MLflow run for each trial, in an experiment for each study.

    ``MLFLOW_TRACKING_URI`` says where; without it, a SQLite file in the study's folder.
    """

    def __init__(self, run: RunPaths) -> None:
        from mlflow import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{run.folder.absolute() / 'mlflow.db'}"
        self._run, name = run, f"dferbench/{run.study}"
        self._callback = MLflowLoggerCallback(tracking_uri=uri, experiment_name=name)
        self._callback.setup()
        self._client = MlflowClient(tracking_uri=uri)
        self._experiment = self._client.get_experiment_by_name(name).experiment_id
        self._trials: dict[str, Watched] = {}

    def begin(self, unit: Unit) -> None:
        """Open the trial's run, with its settings; one that was interrupted goes on."""
        trial = self._trials[name_of(unit)] = Watched(self._run, unit)
        named = f"tags.trial_id = '{trial.trial_id}'"
        for found in self._client.search_runs([self._experiment], named, max_results=1):
            self._client.update_run(found.info.run_id, status="RUNNING")
            self._callback._trial_runs[trial] = found.info.run_id
        self._callback.tags = {"trial_id": trial.trial_id, "method": unit.method, "phase": unit.phase}
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
