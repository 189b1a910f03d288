"""Noticing that Ray itself has died under a driver, which Tune would wait for without end."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import ray
from ray.exceptions import RayError

logger = logging.getLogger("dferbench")

LOOK_SECONDS = 5.0
"""Between two looks; Ray itself takes some fifteen seconds to notice."""
REACH_SECONDS = 60.0
"""For a main thread to hear that Ray died, before the driver is ended without it."""
WAKE = signal.SIGUSR2
"""Wakes the main thread. Not SIGINT, which a program that was started in the background (``nohup ... &``) ignores."""
ERROR_CODE = 2
"""Exit code of a driver that had to be ended: an error, as the command line would have given."""


class RayDiedError(Exception):
    """The machine's part of Ray (its raylet) ended while units were running."""


@contextmanager
def guarded() -> Iterator[None]:
    """Within this, the death of this machine's raylet ends the wait for it; call it from the main thread.

    Raises:
        RayDiedError: if the raylet has died.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    guard = _Guard()
    before = signal.signal(WAKE, signal.default_int_handler)
    watcher = threading.Thread(target=guard.watch, name="dferbench-ray", daemon=True)
    watcher.start()
    try:
        try:
            yield
        finally:
            guard.end()
    except KeyboardInterrupt:
        if not guard.died:
            raise
        raise RayDiedError from None
    finally:
        watcher.join()
        signal.signal(WAKE, before)


class _Guard:
    """Looks from a thread of its own whether this machine is still among Ray's living ones.

    Attributes:
        died: whether it was found not to be.
    """

    def __init__(self) -> None:
        self.died = False
        self._over, self._sending = threading.Event(), threading.Lock()
        self._here = ray.get_runtime_context().get_node_id()

    def end(self) -> None:
        """Look no more; when this returns, no interruption is sent any longer."""
        with self._sending:
            self._over.set()

    def watch(self) -> None:
        """Interrupt the main thread, as Ctrl-C would, once this machine is dead, and again until it has heard."""
        while not self._over.wait(LOOK_SECONDS):
            if self._is_dead():
                self.died = True
                self._reach_main()
                return

    def _is_dead(self) -> bool:
        """Whether Ray has given this machine up; an answer that fails is asked for again."""
        with suppress(RayError):
            return any(node["NodeID"] == self._here and not node["Alive"] for node in ray.nodes())
        return False

    def _reach_main(self) -> None:
        """One interruption can be lost in Ray's own code; a call that waits for the dead raylet hears none."""
        deadline = time.monotonic() + REACH_SECONDS
        while time.monotonic() < deadline:
            with self._sending:
                if self._over.is_set():
                    return
                signal.pthread_kill(threading.main_thread().ident or 0, WAKE)
            if self._over.wait(LOOK_SECONDS):
                return
        _end_driver()


@contextmanager
def bounded(seconds: float | None = None) -> Iterator[None]:
    """Within this, a call into Ray that does not return in time (``REACH_SECONDS``) ends the driver."""
    over = threading.Event()

    def watch() -> None:
        if not over.wait(REACH_SECONDS if seconds is None else seconds):
            _end_driver()

    watcher = threading.Thread(target=watch, name="dferbench-bound", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _end_driver() -> NoReturn:
    """The last resort: say where the driver hangs, and end it; what is finished is on storage."""
    logger.error("Ray died on this machine, and a call into it does not return.")
    logger.error("Finished trials are kept; run the same command again.")
    faulthandler.dump_traceback(sys.__stderr__ or sys.stderr)
    os._exit(ERROR_CODE)
