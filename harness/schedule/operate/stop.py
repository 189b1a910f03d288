"""Ending a study's driver from another shell or another host; what is finished stays."""

from __future__ import annotations

import os
import signal
import socket
import time
from time import monotonic

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.schedule.operate.driver import Driver, driver_of
from harness.tables.store import write_text

LOOK_SECONDS = 0.2


def stop(run: RunPaths, timeout: float) -> Driver:
    """Ask the driver to end, wait until it has, and say who it was.

    A driver on this host is sent SIGTERM; one elsewhere finds a request in the study's folder, within a second.

    Raises:
        HarnessError: if no driver runs the study, it is not ours to stop, or it still runs after ``timeout`` seconds.
    """
    driver = driver_of(run)
    if driver is None:
        raise HarnessError(f"Study '{run.study}' is not being run in {run.root}. There is nothing to stop.")
    _ask(run, driver)
    deadline = monotonic() + timeout
    while (left := driver_of(run)) is not None:
        if monotonic() > deadline:
            raise HarnessError(
                f"{_named(left)} was asked to stop and still runs study '{run.study}' after {timeout:g} seconds. "
                f"Wait for it (--timeout), or end it on {left.host}; finished trials are kept either way."
            )
        time.sleep(LOOK_SECONDS)
    run.stop_request.unlink(missing_ok=True)
    return driver


def _ask(run: RunPaths, driver: Driver) -> None:
    """A signal where one reaches, else a file."""
    if driver.here and driver.pid:
        try:
            os.kill(driver.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass  # another container under the same host name, or it has just ended: the file reaches both
        except PermissionError:
            raise HarnessError(
                f"{_named(driver)} belongs to another user. Ask them, or an administrator, to stop it."
            ) from None
        else:
            return
    write_text(f"{socket.gethostname()} {os.getpid()}\n", run.stop_request)


def _named(driver: Driver) -> str:
    words = str(driver)
    return words[0].upper() + words[1:]
