"""A driver's claim to a study on a store, where no lock tells two machines of one another.

KubeRay may start a job again while its first attempt still runs, on machines that share no folder. Each driver renews
its claim; one that comes later listens whether it is renewed, and takes it if not. A driver whose claim was taken ends:
what both have trained meanwhile is the same, but done twice.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.schedule.cluster.remote_folder import RemoteFolder
from harness.schedule.operate.driver import SILENT_SECONDS, Driver
from harness.tables.temporary import alive

RENEW_SECONDS = 10.0
"""Between two renewals."""
SETTLE_SECONDS = 2.0
"""Of two drivers that claim at the same time the store keeps one, which both see after this time."""

logger = logging.getLogger("dferbench")


@contextmanager
def leased(uri: str, run: RunPaths) -> Iterator[None]:
    """Hold the claim to a study on a store; without a store there is none to hold.

    Raises:
        HarnessError: if another driver holds it, or the store cannot be used.
    """
    if not uri:
        yield
        return
    lease = Lease(RemoteFolder(uri), run)
    lease.take()
    ended = Event()
    renewing = Thread(target=lease.renew_until, args=(ended,), name="dferbench-lease", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        lease.give_back()


class Lease:
    """One driver's claim.

    Attributes:
        attempt: how many drivers have claimed the study since one has ended in good order, this one among them.
    """

    def __init__(self, there: RemoteFolder, run: RunPaths) -> None:
        self._there, self._study = there, run.study
        self._name = str(run.folder.relative_to(run.root) / "driver.json")
        self.attempt, self._renewals = 1, 0

    def take(self) -> None:
        """Claim the study once nobody renews another claim.

        Raises:
            HarnessError: if somebody does.
        """
        found = self._read()
        if found and not _died_here(found) and self._is_renewed(found):
            raise self._refused(found)
        self.attempt = int(found.get("attempt", 0)) + 1
        self._write()
        time.sleep(SETTLE_SECONDS)
        if not self.is_ours:
            raise self._refused(self._read())

    @property
    def is_ours(self) -> bool:
        """Whether the store names this driver; a store that cannot be read just now does not say otherwise."""
        try:
            found = self._read()
        except HarnessError:
            return True
        return all(found.get(name) == value for name, value in self._owner.items())

    def renew_until(self, ended: Event) -> None:
        """Renew the claim from time to time; end this driver if another one has taken it."""
        while not ended.wait(RENEW_SECONDS):
            if not self.is_ours:
                logger.warning("Another driver has taken over study '%s' on the store; this one ends.", self._study)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            with suppress(HarnessError):
                self._write()

    def give_back(self) -> None:
        """Leave the study to whoever comes, at once; nothing if it is another driver's already."""
        with suppress(HarnessError):
            if self.is_ours:
                self._there.delete(self._name)

    @property
    def _owner(self) -> dict[str, Any]:
        return {"host": socket.gethostname(), "pid": os.getpid(), "attempt": self.attempt}

    def _write(self) -> None:
        self._renewals += 1
        self._there.write(self._name, json.dumps({**self._owner, "renewals": self._renewals}).encode())

    def _read(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._there.read(self._name) or b"{}")
        except ValueError:
            return {}
        return found

    def _is_renewed(self, found: dict[str, Any]) -> bool:
        """Whether a claim changes while one listens; clocks that disagree do not matter."""
        logger.warning(
            "%s ran study '%s' with this store and did not say that it ended; listening for %.0f s whether it still "
            "runs.",
            *(_driver(found), self._study, SILENT_SECONDS),
        )
        deadline = time.monotonic() + SILENT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(min(1.0, SILENT_SECONDS / 10))
            now = self._read()
            if now != found:
                return bool(now)
        return False

    def _refused(self, found: dict[str, Any]) -> HarnessError:
        return HarnessError(
            f"Study '{self._study}' is being run with --store {self._there.uri} by {_driver(found)}. Wait for it, "
            "stop it there, or use another --store."
        )


def _driver(found: dict[str, Any]) -> Driver:
    """Who made a claim."""
    return Driver(int(found.get("pid", 0)), str(found.get("host", "an unknown host")))


def _died_here(found: dict[str, Any]) -> bool:
    """Whether a claim is of a process of this host that lives no more."""
    driver = _driver(found)
    return driver.here and not alive(driver.pid)
