"""Being told to stop is being interrupted: what is finished stays, and the exit code is 130."""

from __future__ import annotations

import signal
import threading


def interrupt_on_sigterm() -> None:
    """Turn SIGTERM (a cluster's preemption, ``kill``) into KeyboardInterrupt; Ray sets its own handler when it starts.

    Signals can be handled in the main thread only; elsewhere this does nothing.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
