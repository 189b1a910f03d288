"""What a driver tells the world while it runs: which trials it wants, and how far it is.

Both files lie in the study's folder, so that another shell, another host or a later command can read them, also after
the driver was killed. ``wanted.jsonl`` has a line per trial, appended when the study comes to ask for it.
``progress.json`` is the present, written whole at most once a second.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic
from typing import Any

from harness.paths import RunPaths
from harness.plan import Unit
from harness.schedule.brain import Brain, key
from harness.schedule.operate.driver import is_ours, read_progress
from harness.tables import json_lines
from harness.tables.store import write_text
from harness.tables.temporary import sweep

VERSION = 1
SECONDS = 1.0
"""Between two looks at whether there is something to write."""
HEARTBEAT_SECONDS = 10.0
"""Between two writes while nothing happens, which tells other hosts that the driver lives."""

logger = logging.getLogger("dferbench")

Snapshot = Callable[[], dict[str, Any]]


class Publisher:
    """Publishes a driver's progress from a thread of its own and honours requests to stop; use as a context manager.

    Attributes:
        before: what the driver before this one published last.
    """

    def __init__(self, run: RunPaths, facts: dict[str, Any]) -> None:
        self.before = read_progress(run)
        self._run, self._facts = run, {"testing": self.before.get("testing", {}), **facts}
        self._brain: Brain | None = None
        self._snapshot: Snapshot = dict
        self._written = 0
        self._changed, self._ended, self._replaced = True, Event(), False
        self._last = 0.0
        self._thread = Thread(target=self._watch, name="dferbench-progress", daemon=True)

    def __enter__(self) -> Publisher:
        sweep(self._run.folder, self._run.folder / "tables")
        self._run.stop_request.unlink(missing_ok=True)
        self._facts |= {"version": VERSION, "pid": os.getpid(), "host": socket.gethostname(), "began": _now()}
        self.tell(state="preparing")
        self._write()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._ended.set()
        self._thread.join()
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        state = "finished" if kind is None else "interrupted" if interrupted else "broken"
        self.tell(state=state, reason="" if error is None or interrupted else str(error)[-2000:])
        self._write()
        self._run.stop_request.unlink(missing_ok=True)

    def tell(self, **facts: Any) -> None:
        """Facts that stay until they are told anew, such as the state."""
        self._facts |= facts
        self.changed()

    def changed(self) -> None:
        """Something happened; it is written within a second."""
        self._changed = True

    def follow(self, brain: Brain, snapshot: Snapshot) -> None:
        """Publish what a brain wants and, from now on, what ``snapshot`` says."""
        units = list(brain.units.values())
        write_text(json_lines.text(map(_described, units)), self._run.wanted)
        self._written, self._snapshot, self._brain = len(units), snapshot, brain
        self.changed()

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS):
            self._replaced = not is_ours(self._run)
            if self._replaced:
                logger.warning("Another driver has taken this one for dead; this one ends.")
                os.kill(os.getpid(), signal.SIGTERM)
                return
            if self._run.stop_request.exists():
                self._run.stop_request.unlink(missing_ok=True)
                os.kill(os.getpid(), signal.SIGTERM)
            if self._changed or monotonic() - self._last > HEARTBEAT_SECONDS:
                self._write()

    def _write(self) -> None:
        """Write what is new, but nothing over what a driver writes that has taken this one's place.

        A disk that takes nothing more stops the trials themselves, with a better message.
        """
        if self._replaced:
            return
        self._changed, self._last = False, monotonic()
        content = {**self._facts, "updated": _now(), **self._snapshot()}
        with suppress(OSError):
            self._append_wanted()
            write_text(json.dumps(content, ensure_ascii=False), self._run.progress)

    def _append_wanted(self) -> None:
        """The trials that the study has come to want since the last time, in one write."""
        units = [] if self._brain is None else list(self._brain.units.values())[self._written :]
        if units:
            json_lines.append(map(_described, units), self._run.wanted)
            self._written += len(units)


def _described(unit: Unit) -> dict[str, Any]:
    """What a reader needs to know of a trial to find it and to count it."""
    return {
        "key": key(unit),
        "method": unit.method,
        "phase": unit.phase,
        "configuration": unit.configuration,
        "fold": unit.trial.fold,
        "seed": unit.trial.seed,
        "epochs": unit.trial.training.epochs,
        "trial_id": unit.trial.trial_id,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat()
