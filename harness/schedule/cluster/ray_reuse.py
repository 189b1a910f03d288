"""Which worker processes Tune keeps for a further unit; and a unit whose process died before it began is noted."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import json
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler


class Reuse(FIFOScheduler):
    """Tune's usual order of trials, which its controller tells how each one ends.

    Tune (2.60) keeps a process for the next trial with equal resources. It ends one as soon as a trial with other
    resources is to start, or more than one would wait and no trial is there for them, and all when the search is over.
    Two things are added:

    - A process that calls itself worn out is ended with its trial. Tune has no call for this; it keeps a process only
      if it counts it among those that it has started, so the process is taken out of that count. Should a later Tune do
      otherwise, the process still refuses the next trial, which then takes one of that trial's retries.
    - A trial whose process died while it waited is noted. Tune gives such a trial up at once, whatever its retries.
    """

    def __init__(self, never_began: set[str]) -> None:
        super().__init__()
        self._never_began = never_began

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """See whether the trial's process may take up another."""
        if json.loads(result.get("event", "{}")).get("worn_out"):
            tune_controller._started_actors.discard(tune_controller._trial_to_actor.get(trial))

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Note a trial that is given up though it still waits to begin; one that failed was running."""
        if trial.status == Trial.PENDING:
            self._never_began.add(trial.trial_id)
