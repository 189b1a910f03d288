"""Workers that a search imagines, on whose clock it decides: never on that of the machines that really train."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Generic, TypeVar

Work = TypeVar("Work")


@dataclass(kw_only=True)
class VirtualWorkers(Generic[Work]):
    """So many workers, each of which takes exactly as long for its work as that is said to cost.

    Works that end at the same moment end in the order in which they were started.

    >>> workers = VirtualWorkers[str](count=2)
    >>> workers.start("long", 2.0)
    >>> workers.start("short", 1.0)
    >>> workers.free, workers.first
    (0, 'short')
    >>> workers.end_first()
    'short'
    >>> workers.start("late", 0.5)
    >>> workers.end_first(), workers.end_first()
    ('late', 'long')
    """

    count: int
    _now: float = 0.0
    _started: int = 0
    _ends: list[tuple[float, int, Work]] = field(default_factory=list)

    @property
    def free(self) -> int:
        """Workers without work."""
        return self.count - len(self._ends)

    @property
    def first(self) -> Work | None:
        """What ends next; ``None`` if nobody works."""
        return self._ends[0][2] if self._ends else None

    def start(self, work: Work, duration: float) -> None:
        """Give work to a free worker."""
        self._started += 1
        heappush(self._ends, (self._now + duration, self._started, work))

    def end_first(self) -> Work:
        """Go on to when the next work ends, and return it."""
        self._now, _, work = heappop(self._ends)
        return work
