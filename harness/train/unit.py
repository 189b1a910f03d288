"""One unit of work, wherever it runs: train a trial unless that is done, then show it the conditions still missing."""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError, StorageError
from harness.paths import UnitPaths
from harness.tables.storage import check_writable, storage
from harness.train.aside import put_aside
from harness.train.failure import write_failure
from harness.train.memory import limited
from harness.train.quarantine import damage, is_sound
from harness.train.record import read_record
from harness.train.stress import is_stressed, stress
from harness.train.task import OnEvent, Task
from harness.train.train import is_out_of_memory, train

__all__ = ["OnEvent", "Task", "execute", "is_finished", "read_record", "result_of"]


def execute(task: Task, on_event: OnEvent) -> dict[str, Any]:
    """Bring a unit as far as its task says and return its record; what is already on storage is not done again.

    A failure is kept beside the unit's folder until the unit succeeds.

    Raises:
        HarnessError: if the data or a plugin cannot be used, or memory does not suffice.
        StorageError: if the results cannot be written.
    """
    try:
        with storage(task.paths.folder.parent), limited(task):
            record = _execute(task, on_event)
            task.paths.failure.unlink(missing_ok=True)
            return record
    except StorageError:
        raise
    except Exception as error:
        write_failure(task.paths, error)
        raise


def _execute(task: Task, on_event: OnEvent) -> dict[str, Any]:
    paths = result_of(task)
    if paths is None:
        check_writable(task.paths.folder.parent)
        paths = train(task, on_event)
    record = read_record(paths)
    if record["status"] != "done" or is_stressed(task, record):
        return record
    reason = damage(paths, thorough=True)
    if reason:
        put_aside(paths, reason)
        record = read_record(train(task, on_event))
    _tested(task, record, on_event)
    return record


def _tested(task: Task, record: dict[str, Any], on_event: OnEvent) -> None:
    """Show a finished training what its task asks for.

    Raises:
        HarnessError: if memory does not suffice for a single clip.
    """
    try:
        stress(task, record, on_event)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0]
        raise HarnessError(
            f"Memory ran out on {task.device} while a finished trial was shown its test clips: {reason} Give it a "
            "larger share of a device (resources.gpus), or end what else holds its memory, and run the study again."
        ) from error


def is_finished(task: Task) -> bool:
    """Whether nothing of a unit is left to do; damaged files are put aside and count as missing."""
    paths = result_of(task)
    if paths is None:
        return False
    record = read_record(paths)
    return record["status"] != "done" or is_stressed(task, record)


def result_of(task: Task) -> UnitPaths | None:
    """Where the training that a task asks for lies: finished, or halted no earlier than at ``stop_after``.

    A halt may be later than asked for, if another search had asked for that; its epochs table tells.
    """
    if is_sound(task.paths):
        return task.paths
    if task.last_epoch == task.trial.training.epochs:
        return None
    halts = task.paths.all_stopped().items()
    return next((halt for epoch, halt in halts if epoch >= task.last_epoch and is_sound(halt)), None)
