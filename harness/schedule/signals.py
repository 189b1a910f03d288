"""Being told to stop is being interrupted: what is finished stays, and the exit code is 130."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TICK_SECONDS = 0.01


def interrupt_on_sigterm() -> None:
    """Turn SIGTERM (preemption, ``kill``) and SIGUSR1 (Slurm: time is nearly up) into KeyboardInterrupt.

    Signals can be handled in the main thread only; elsewhere this does nothing.
    """
    if threading.current_thread() is threading.main_thread():
        for sent in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(sent, signal.default_int_handler)


@contextmanager
def starting_ray() -> Iterator[None]:
    """Within this Ray may start, which sets handlers of its own; after it ours stand again.

    One of Ray's, in C++, takes SIGTERM before Python does and sets an alarm that aborts the process three seconds later
    (absl's failure signal handler), whatever is being written then. The alarm is taken back; the caller's own goes on.
    """
    timer = signal.getitimer(signal.ITIMER_REAL)
    try:
        yield
        interrupt_on_sigterm()
    except BaseException:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        raise


@contextmanager
def leaving_ray() -> Iterator[None]:
    """Within this Ray may end; our handlers stand while it does and after it.

    Ray's C++ takes every handler of SIGTERM away as soon as it is told to end, and then ends its processes for a second
    or more (Ray 2.60); Python is not told. So ours are set again at every tick of a timer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda *_: interrupt_on_sigterm())
    timer = signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, *timer)
        interrupt_on_sigterm()


@contextmanager
def exits_are_interruptions() -> Iterator[None]:
    """Within this, SIGTERM is an interruption also while Ray's own handler stands, which exits with its number.

    Ray sets that handler when it starts, and it stands until ours is set again.
    """
    try:
        yield
    except SystemExit as ended:
        if ended.code != signal.SIGTERM:
            raise
        raise KeyboardInterrupt from None
