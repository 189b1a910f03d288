"""Units one after another in this process: the reference that every other executor must equal, row for row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from harness.errors import HarnessError, StorageError
from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.cluster.mirrored import execute_mirrored
from harness.schedule.session import Session

OnEvent = Callable[[Unit, Mapping[str, Any]], None]


def run_local(session: Session, brain: Brain, on_event: OnEvent) -> None:
    """Run every unit that the brain hands out; a unit that fails is recorded, the others go on.

    Raises:
        StorageError: if results cannot be written, because then none of the others could.
    """
    while unit := brain.next():
        on_event(unit, {"kind": "started"})
        error = ""
        try:
            record = execute_mirrored(session.task(unit), session.storage, partial(on_event, unit))
        except StorageError:
            raise
        except HarnessError as problem:
            record, error = {"status": "failed"}, str(problem)
        brain.finished(unit, error)
        on_event(unit, {"kind": "ended", "error": error, **record})
