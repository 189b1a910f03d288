"""The driver of a study: the one process that holds its lock, and what others can learn of it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from harness.errors import HarnessError, StorageError
from harness.paths import RunPaths

TRIES = 5
"""A reader that looks whether the lock is held holds it for an instant itself, so a driver asks more than once."""
PAUSE_SECONDS = 0.05

SILENT_SECONDS = 60.0
"""A driver of another host that has written nothing for so long is taken for dead (it writes every ten seconds)."""
LONG_SILENT_SECONDS = 3600.0
"""Silence that clocks which disagree do not explain."""

logger = logging.getLogger("dferbench")


class Driver(NamedTuple):
    """A process that runs a study, and the host it runs on."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def here(self) -> bool:
        """Whether it runs on this host."""
        return self.host == socket.gethostname()


@contextmanager
def exclusive(run: RunPaths) -> Iterator[None]:
    """Hold a study's lock; the system lets go of it when this process ends, however it ends.

    Raises:
        HarnessError: if another process runs the same study in the same folder.
        StorageError: if the folder's file system knows no locks.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    with run.lock.open("a+") as file:
        if not any(_locked(file.fileno(), fcntl.LOCK_EX, pause) for pause in _pauses()):
            file.seek(0)
            raise _refused(run, _parse(file.read()))
        heard = _heard(run)
        if heard is not None:
            raise _refused(run, heard)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()} {socket.gethostname()}\n")
        file.flush()
        yield


def is_ours(run: RunPaths) -> bool:
    """Whether the lock still names this process: where a lock does not hold on every host, a later driver names itself.

    A lock that cannot be read just now is ours.
    """
    try:
        return _parse(run.lock.read_text(encoding="utf-8")) in {None, Driver(os.getpid(), socket.gethostname())}
    except OSError:
        return True


def driver_of(run: RunPaths) -> Driver | None:
    """Who runs a study now; ``None`` if nobody does.

    A lock cannot be seen from every host that shares a folder, so a driver of another host also counts as living
    while it keeps writing its progress.
    """
    try:
        with run.lock.open(encoding="utf-8") as file:
            if not _locked(file.fileno(), fcntl.LOCK_SH, 0.0):
                return _parse(file.read()) or Driver(0, "an unknown host")
    except FileNotFoundError:
        return None
    progress = read_progress(run)
    return None if age_seconds(progress.get("updated")) > SILENT_SECONDS else _elsewhere(progress)


def read_progress(run: RunPaths) -> dict[str, Any]:
    """What the last driver published; empty if there is nothing."""
    try:
        progress: dict[str, Any] = json.loads(run.progress.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return progress


def age_seconds(moment: str | None) -> float:
    """Seconds since an ISO moment, never below 0: another host's clock may be ahead; endless for none."""
    if not moment:
        return float("inf")
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())


def _elsewhere(progress: dict[str, Any]) -> Driver | None:
    """The driver of another host that has not said that it ended."""
    driver = Driver(int(progress.get("pid", 0)), str(progress.get("host", "")))
    ended = progress.get("state") in {None, "finished", "interrupted", "broken"}
    return None if ended or driver.here else driver


def _heard(run: RunPaths) -> Driver | None:
    """A driver of another host that writes its progress while one looks; clocks that disagree do not matter."""
    progress = read_progress(run)
    driver, last = _elsewhere(progress), progress.get("updated")
    if driver is None or age_seconds(last) > LONG_SILENT_SECONDS:
        return None
    logger.warning(
        "%s ran study '%s' and did not say that it ended; listening whether it still runs.", driver, run.study
    )
    deadline = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < deadline:
        if read_progress(run).get("updated") != last:
            return driver
        time.sleep(1.0)
    return None


def _refused(run: RunPaths, driver: Driver | None) -> HarnessError:
    return HarnessError(
        f"Study '{run.study}' is being run in {run.folder} by {driver or 'another process'}. "
        "Wait for it, stop it with dferbench stop, or use --out for another folder."
    )


def _pauses() -> Iterator[float]:
    yield 0.0
    yield from [PAUSE_SECONDS] * (TRIES - 1)


def _locked(file: int, kind: int, pause: float) -> bool:
    """Try for a lock after a pause.

    Raises:
        StorageError: on a file system that knows no locks.
    """
    time.sleep(pause)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise StorageError(
            f"Files of the runs folder cannot be locked ({error.strerror}), so nothing would keep a second driver out. "
            "Mount it with locks (Lustre: -o flock), or use --out for another folder."
        ) from error
    return True


def _parse(text: str) -> Driver | None:
    """The owner that a lock file names."""
    pid, _, host = text.strip().partition(" ")
    return Driver(int(pid), host or socket.gethostname()) if pid.isdigit() else None
