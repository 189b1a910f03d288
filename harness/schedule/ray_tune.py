"""Units on Ray Tune: Tune places and supervises them, a Searcher of ours says which come next.

Tune is started fresh each time and never restored: what is finished is on storage, and the brain skips it.
"""

from __future__ import annotations

import harness.schedule.ray_environment  # noqa: F401 - before Ray

# isort: split

import json
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ray import tune
from ray.tune.search import Searcher

from harness.errors import HarnessError
from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.node_probe import wanted_of
from harness.schedule.placing import requests, slots_of
from harness.schedule.ray_cluster import check_machines, connected, wait_for_room
from harness.schedule.session import Session
from harness.schedule.signals import interrupt_on_sigterm

OnEvent = Callable[[Unit, Mapping[str, Any]], None]

MAX_RESTARTS = 5
"""Fresh starts of Tune after a run that ended early: Ray's memory monitor, killing a worker, ends the whole run."""
MAX_FAILURES = {"local": 2, "cluster": 8}
"""Retries of a unit whose worker or machine died; errors of the unit's own code are reported, not retried. Machines of
a cluster come and go; on a machine of one's own a worker that dies again and again dies of its unit."""
INFRASTRUCTURE = ("low on memory", "Caught unexpected exception")
"""What Tune says when it ends because of something that it does not count as a trial's failure."""


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


class Limits(NamedTuple):
    """Units at the same time, and retries of a unit whose worker died."""

    slots: int
    failures: int


class UnitSearcher(Searcher):
    """Tells Tune the next unit, and the brain what became of it."""

    def __init__(self, session: Session, brain: Brain, on_event: OnEvent) -> None:
        super().__init__(metric=None, mode=None)
        self._session, self._brain, self._on_event = session, brain, on_event
        self._requests = requests(session.study)
        self._units: dict[str, Unit] = {}

    @property
    def on_gpu(self) -> bool:
        """Whether a unit uses a GPU: then each gets a fresh process, which leaves no memory behind on it."""
        return any(request.gpus for request in self._requests.values())

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next unit as a Tune configuration, ``None`` while units that others wait for are running."""
        unit = self._brain.next()
        if unit is None:
            return Searcher.FINISHED if self._brain.done else None
        self._units[trial_id] = unit
        self._on_event(unit, {"kind": "started"})
        asked = self._requests[unit.method]
        resources = {"cpu": asked.cpus, "gpu": asked.gpus, "memory": asked.memory_mb * 1e6}
        return {"task": self._session.task(unit).model_dump_json(), "resources": resources}

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
    """Run a study's units on Ray, ``slots`` at a time (0: as many as its machines hold), until none is left.

    Raises:
        HarnessError: if Ray cannot offer what one unit asks for, or a machine cannot do the work.
        KeyboardInterrupt: if the user interrupts; finished units stay finished.
    """
    asked = requests(session.study)
    cpus = max(request.cpus for request in asked.values())
    with connected(address, slots * cpus if slots else max(os.cpu_count() or 1, cpus)):
        interrupt_on_sigterm()
        room = wait_for_room(asked, address)
        if address != "local":
            weights = {task for task in (method.pretrained for method in session.study.methods.values()) if task}
            paths = (session.run.units, session.run.manifest, session.prepared.pack)
            check_machines(wanted_of(*paths, sorted(weights), shared=True))
        limits = Limits(slots or slots_of(asked, room), MAX_FAILURES["local" if address == "local" else "cluster"])
        _run(session, brain, on_event, limits)


def _run(session: Session, brain: Brain, on_event: OnEvent, limits: Limits) -> None:
    """Start Tune until the brain has nothing left; what was running when it ended early is handed out again."""
    scratch = Path(tempfile.mkdtemp(prefix="dferbench-ray-"))
    try:
        for attempt in range(MAX_RESTARTS):
            _fit(UnitSearcher(session, brain, on_event), limits, scratch / str(attempt))
            if brain.done:
                return
            brain.put_back()
        raise HarnessError(f"Ray Tune ended early {MAX_RESTARTS} times. Finished trials are kept; run the study again.")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fit(searcher: UnitSearcher, limits: Limits, scratch: Path) -> None:
    """One run of Tune over whatever the brain hands out."""
    tuner = tune.Tuner(
        tune.with_resources(run_unit, lambda config: config["resources"]),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=-1,
            max_concurrent_trials=limits.slots,
            reuse_actors=not searcher.on_gpu,
        ),
        run_config=tune.RunConfig(
            name="units",
            storage_path=str(scratch),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=limits.failures),
        ),
    )
    try:
        tuner.fit()
    except RuntimeError as error:
        if not any(words in str(error) for words in INFRASTRUCTURE):
            raise
