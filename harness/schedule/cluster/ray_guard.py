"""Noticing that Ray itself has died under a driver, which Tune would wait for without end."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import ray

LOOK_SECONDS = 5.0
"""Between two looks; Ray itself takes some fifteen seconds to notice."""


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
    over, died = threading.Event(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(over, died), name="dferbench-ray", daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if not died.is_set():
            raise
        raise RayDiedError from None
    finally:
        over.set()
        watcher.join()


def _watch(over: threading.Event, died: threading.Event) -> None:
    """Interrupt the main thread, as Ctrl-C would, once this machine is no longer among Ray's living ones."""
    here = ray.get_runtime_context().get_node_id()
    while not over.wait(LOOK_SECONDS):
        if any(node["NodeID"] == here and not node["Alive"] for node in ray.nodes()):
            died.set()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return
