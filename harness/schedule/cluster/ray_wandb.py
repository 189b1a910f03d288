"""Ray's own bridge to Weights & Biases, driven by what the driver hears, so with ``--local`` too."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import logging
import os
from collections.abc import Mapping
from typing import Any

from ray.air.integrations.wandb import WandbLoggerCallback

from harness.paths import RunPaths
from harness.plan import Unit
from harness.schedule.cluster.watched import Watched
from harness.schedule.tracking import name_of

logger = logging.getLogger("dferbench")


class WandbTracker:
    """A W&B run for each trial, grouped by study and method.

    ``WANDB_MODE`` and ``WANDB_PROJECT`` mean what they always mean. Without a key, runs are written into the study's
    folder, to be sent later with ``wandb sync``.
    """

    def __init__(self, run: RunPaths) -> None:
        self._run = run
        self._callback = DriverWandbCallback(
            project=os.environ.get("WANDB_PROJECT") or "dferbench",
            dir=str(run.folder.absolute()),
            resume="allow",
            reinit="create_new",
        )
        self._callback.setup()
        self._trials: dict[str, Watched] = {}

    def begin(self, unit: Unit) -> None:
        """Open the trial's run; one that was interrupted goes on."""
        trial = self._trials[name_of(unit)] = Watched(self._run, unit)
        self._callback.log_trial_start(trial)

    def epoch(self, unit: Unit, number: int, values: Mapping[str, float]) -> None:
        """A point on each curve."""
        self._callback.log_trial_result(number, self._trials[name_of(unit)], dict(values))

    def end(self, unit: Unit, results: Mapping[str, float], *, failed: bool) -> None:
        """Summarise and close."""
        trial = self._trials.pop(name_of(unit))
        self._callback.summarise(trial, results)
        self._callback.log_trial_end(trial, failed=failed)


class DriverWandbCallback(WandbLoggerCallback):
    """Ray's callback for Weights & Biases, with runs held by the driver.

    Ray's own keeps two processes on the cluster for each trial, because a process once could have one run only. They
    take 3.4 s of processor time a trial (measured), 6 % of a training of one minute; a run here takes 0.12 s.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._runs: dict[Watched, Any] = {}

    def setup(self, *_: Any, **__: Any) -> None:
        """Look for a key; without one, nothing is sent and nobody is asked."""
        import wandb

        os.environ.setdefault("WANDB_SILENT", "true")
        if "WANDB_MODE" in os.environ or wandb.login(prompt=False, verify=False):
            return
        self.kwargs["mode"] = "offline"
        logger.warning(
            "No key for Weights & Biases was found (WANDB_API_KEY, or wandb login). Curves are written to %s; "
            "wandb sync sends them later.",
            f"{self.kwargs['dir']}/wandb",
        )

    def _start_logging_actor(self, trial: Watched, _: list[str], **given: Any) -> None:
        """Open a run; ``given`` is what Ray's callback makes of a trial."""
        import wandb

        settings = wandb.Settings(console="off")  # many runs share the driver's output, which belongs to none of them
        self._runs[trial] = wandb.init(**given, job_type=trial.phase, settings=settings)

    def log_trial_result(self, iteration: int, trial: Watched, result: Mapping[str, float]) -> None:
        """A point on each curve."""
        self._runs[trial].log(dict(result), step=iteration)

    def summarise(self, trial: Watched, results: Mapping[str, float]) -> None:
        """What came of a trial."""
        self._runs[trial].summary.update(dict(results))

    def log_trial_end(self, trial: Watched, failed: bool = False) -> None:
        """Send what is left and close the run."""
        self._runs.pop(trial).finish(exit_code=int(failed))

    def _cleanup_logging_actors(self, timeout: int = 0, kill_on_timeout: bool = False) -> None:
        """There are no actors."""
