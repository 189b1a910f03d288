"""How long something takes, for people."""

from __future__ import annotations

from datetime import timedelta


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss.

    >>> clock(3723.0)
    '1:02:03'
    """
    return str(timedelta(seconds=round(seconds)))
