"""Tune's searcher: tells Tune the next unit, and the brain what became of it."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ray.tune.search import Searcher

from harness.errors import StorageError
from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.cluster.mirrored import Storage
from harness.schedule.cluster.placing import Request
from harness.schedule.session import Session

logger = logging.getLogger("dferbench")

OnEvent = Callable[[Unit, Mapping[str, Any]], None]
BATCH = 5000
"""Units in one run of Tune, which keeps what it has seen: 80 KB in memory and 40 KB on disk for each (measured). At its
end slots wait for its last units: of 80 units for each of 64 slots, half of one, below 1 %."""
WORKER_DIED = {"kind": "ended", "status": "failed", "error": "the worker died (killed, or out of memory)"}


class Ground(NamedTuple):
    """What units run on.

    Attributes:
        asked: what a unit of each method asks of its machine.
        storage: where results are mirrored.
    """

    asked: dict[str, Request]
    storage: Storage


class UnitSearcher(Searcher):
    """Hands out a brain's units.

    Attributes:
        broken: why nothing more is handed out: storage that cannot be written, or what went wrong in this process. Told
            of it, Tune would log it, and then wait without end for the unit that it was about.
        full: whether no more is handed out because it was a batch.
        never_began: trials of Tune whose unit never began, because the process that was to take it up had died.
    """

    def __init__(self, session: Session, brain: Brain, on_event: OnEvent, ground: Ground) -> None:
        super().__init__(metric=None, mode=None)
        self._session, self._brain, self._on_event = session, brain, on_event
        self._ground = ground
        self._units: dict[str, Unit] = {}
        self.broken: Exception | None = None
        self.full = False
        self._handed_out = 0
        self.never_began: set[str] = set()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next unit as a Tune configuration, ``None`` while units that others wait for are running."""
        with self._ending():
            return Searcher.FINISHED if self.broken or self.full else self._next(trial_id)
        return Searcher.FINISHED

    def _next(self, trial_id: str) -> dict[str, Any] | str | None:
        unit = self._brain.next()
        if unit is None:
            return Searcher.FINISHED if self._brain.done else None
        self._units[trial_id] = unit
        self._handed_out += 1
        self.full = self._handed_out == BATCH
        self._on_event(unit, {"kind": "started"})
        asked = self._ground.asked[unit.method]
        return {
            "task": self._session.task(unit).model_dump_json(),
            "resources": {"cpu": asked.cpus, "gpu": asked.gpus, "memory": asked.memory_mb * 1e6},
            "storage": list(self._ground.storage),
        }

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Pass an event on to whoever watches."""
        event = json.loads(result.get("event", "{}"))
        if trial_id in self._units and event.get("kind", "ended") != "ended":
            with self._ending():
                self._on_event(self._units[trial_id], event)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Pass the end of a unit on; a worker that died more often than Tune retries is a failed unit."""
        unit = self._units.pop(trial_id, None)
        if unit is None or self.broken:
            return
        with self._ending():
            self._end(trial_id, unit, result or {}, error)

    def _end(self, trial_id: str, unit: Unit, result: dict[str, Any], error: bool) -> None:
        """Tell the brain how a unit ended.

        Raises:
            StorageError: if it could not be written: that tells nothing of its configuration, so no search learns it.
        """
        if error and trial_id in self.never_began:
            self._brain.give_back(unit)
            return
        event = json.loads(result.get("event", "{}"))
        if error or event.get("kind") != "ended":
            event = WORKER_DIED
        if event.get("worn_out"):
            logger.warning("The process that ran %s is not used again: %s.", unit.label, event["worn_out"])
        if event.get("storage"):
            raise StorageError(event["error"])
        if self._ground.storage.manifest_hash:
            Mirror(self._ground.storage.uri, self._session.run.root).bring_unit(unit.trial.trial_id)
        self._brain.finished(unit, event.get("error", "") if event["status"] == "failed" else "")
        self._on_event(unit, event)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Within it, an error ends the run of Tune: units that run are waited for, and no other is handed out."""
        try:
            yield
        except Exception as error:
            self.broken = error

    def save(self, checkpoint_path: str) -> None:
        """Nothing: finished units on storage are the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its searcher for a restore that is never asked for."""
        return {}
