"""Units on Ray Tune: Tune places and supervises them, a Searcher of ours says which come next.

Tune is started fresh each time and never restored: what is finished is on storage, and the brain skips it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.session import Session
from harness.schedule.signals import interrupt_on_sigterm

ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_MAX_PENDING_TRIALS_PG": "4",
}
"""Read by Ray when it is imported; what the user has set stays."""
for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

import ray  # noqa: E402
from ray import tune  # noqa: E402
from ray.tune.search import Searcher  # noqa: E402

OnEvent = Callable[[Unit, Mapping[str, Any]], None]

MAX_RESTARTS = 5
"""Fresh starts of Tune after a run that ended early: Ray's memory monitor, killing a worker, ends the whole run."""
MAX_FAILURES = 2
"""Retries of a unit whose worker died; errors of the unit's own code are reported, not retried."""
OBJECT_STORE_BYTES = 100_000_000
"""Clips are memory-mapped, not put into Ray's object store, so a small one is enough."""


def run_unit(config: dict[str, Any]) -> None:
    """Run one unit in a Tune worker; every event is one report, as JSON because Tune takes nested ones apart."""
    from harness.train.unit import Task, execute

    def report(event: Mapping[str, Any]) -> None:
        tune.report({"event": json.dumps(event, default=float)})

    try:
        record = execute(Task.model_validate_json(config["task"]), report)
        report({"kind": "ended", **record})
    except HarnessError as problem:
        report({"kind": "ended", "status": "failed", "error": str(problem)})
    except Exception:
        # A defect of this unit is reported whole, so that Tune does not retry it and the other units go on.
        report({"kind": "ended", "status": "failed", "error": traceback.format_exc()})


class UnitSearcher(Searcher):
    """Tells Tune the next unit, and the brain what became of it."""

    def __init__(self, session: Session, brain: Brain, on_event: OnEvent) -> None:
        super().__init__(metric=None, mode=None)
        self._session, self._brain, self._on_event = session, brain, on_event
        self._units: dict[str, Unit] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next unit as a Tune configuration, ``None`` while units that others wait for are running."""
        unit = self._brain.next()
        if unit is None:
            return Searcher.FINISHED if self._brain.done else None
        self._units[trial_id] = unit
        self._on_event(unit, {"kind": "started"})
        return {"task": self._session.task(unit).model_dump_json()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Pass an event on to whoever watches."""
        event = json.loads(result.get("event", "{}"))
        if trial_id in self._units and event.get("kind", "ended") != "ended":
            self._on_event(self._units[trial_id], event)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Pass the end of a unit on; a worker that died more often than Tune retries is a failed unit."""
        unit = self._units.pop(trial_id, None)
        if unit is None:
            return
        event = json.loads((result or {}).get("event", "{}"))
        if error or event.get("kind") != "ended":
            event = {"kind": "ended", "status": "failed", "error": "the worker died (killed, or out of memory)"}
        self._brain.finished(unit, event.get("error", "") if event["status"] == "failed" else "")
        self._on_event(unit, event)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: finished units on storage are the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its searcher for a restore that is never asked for."""
        return {}


def run_ray(session: Session, brain: Brain, on_event: OnEvent, slots: int, address: str = "local") -> None:
    """Run a study's units on Ray, ``slots`` at a time, until none is left.

    Raises:
        HarnessError: if Ray cannot offer what one unit asks for.
        KeyboardInterrupt: if the user interrupts; finished units stay finished.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
    local = {"num_cpus": slots * session.study.resources.cpus, "object_store_memory": OBJECT_STORE_BYTES}
    ray.init(
        address=address,
        include_dashboard=False if address == "local" else None,
        log_to_driver=False,
        logging_level=logging.ERROR,
        **(local if address == "local" else {}),
    )
    scratch = Path(tempfile.mkdtemp(prefix="dferbench-ray-"))
    interrupt_on_sigterm()
    try:
        _check_feasible(session)
        for attempt in range(MAX_RESTARTS):
            _fit(session, brain, on_event, slots, scratch / str(attempt))
            if brain.done:
                return
            brain.put_back()
        raise HarnessError(f"Ray Tune ended early {MAX_RESTARTS} times. Finished trials are kept; run the study again.")
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _fit(session: Session, brain: Brain, on_event: OnEvent, slots: int, scratch: Path) -> None:
    """One run of Tune over whatever the brain hands out."""
    resources = session.study.resources
    tuner = tune.Tuner(
        tune.with_resources(run_unit, {"cpu": resources.cpus, "gpu": resources.gpus}),
        tune_config=tune.TuneConfig(
            search_alg=UnitSearcher(session, brain, on_event),
            num_samples=-1,
            max_concurrent_trials=slots,
            reuse_actors=resources.gpus == 0,
        ),
        run_config=tune.RunConfig(
            name="units",
            storage_path=str(scratch),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=MAX_FAILURES),
        ),
    )
    try:
        tuner.fit()
    except RuntimeError as error:
        if "low on memory" not in str(error):
            raise


def _check_feasible(session: Session) -> None:
    """Ray waits silently for ever for what its cluster does not have; say so at once."""
    offered, asked = ray.cluster_resources(), session.study.resources
    for name, amount in (("CPU", asked.cpus), ("GPU", asked.gpus)):
        if amount > offered.get(name, 0):
            raise HarnessError(
                f"One unit asks for {amount:g} {name}, but the Ray cluster has {offered.get(name, 0):g}. Lower "
                f"resources.{name.lower()}s in the study, or connect to a larger cluster."
            )
