"""Units that can run now: search before confirmation, the method that has spent least first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.plan import Unit


@dataclass(kw_only=True)
class Ready:
    """A queue of units in which no training is handed out twice at the same time; every call takes constant time.

    Attributes:
        spent: cost of the search units that each method was given, finished ones on storage included.
    """

    spent: dict[str, float]
    _search: dict[str, deque[Unit]] = field(default_factory=dict)
    _confirm: deque[Unit] = field(default_factory=deque)
    _running: dict[str, Unit] = field(default_factory=dict)
    _behind: dict[str, list[Unit]] = field(default_factory=dict)
    _costs: dict[str, float] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._running and not self._confirm and not any(self._search.values())

    @property
    def running(self) -> Iterable[Unit]:
        """What runs now."""
        return self._running.values()

    def charge(self, method: str, cost: float) -> None:
        """Count what was spent on a unit that need not run."""
        self.spent[method] = self.spent.get(method, 0.0) + cost

    def add(self, unit: Unit, cost: float) -> None:
        """Queue a unit."""
        self._costs[unit.key] = cost
        self._queue(unit).append(unit)

    def take(self) -> Unit | None:
        """The next unit, or ``None``; units whose training runs already stand behind it until it ends."""
        while True:
            queue = self._next_queue()
            if queue is None:
                return None
            unit = queue.popleft()
            trial_id = unit.trial.trial_id
            if trial_id not in self._running:
                self._running[trial_id] = unit
                if unit.phase == "search":
                    self.charge(unit.method, self._costs[unit.key])
                return unit
            self._behind.setdefault(trial_id, []).append(unit)

    def release(self, unit: Unit) -> None:
        """A unit has ended; those of the same training are next."""
        self._running.pop(unit.trial.trial_id, None)
        for other in reversed(self._behind.pop(unit.trial.trial_id, [])):
            self._queue(other).appendleft(other)

    def put_back(self) -> None:
        """Queue every running unit again, as if it had not been taken."""
        for unit in list(reversed(self._running.values())):
            self.give_back(unit)

    def give_back(self, unit: Unit) -> None:
        """Queue a running unit again, as if it had not been taken."""
        self.release(unit)
        self._queue(unit).appendleft(unit)
        if unit.phase == "search":
            self.charge(unit.method, -self._costs[unit.key])

    def _queue(self, unit: Unit) -> deque[Unit]:
        return self._search.setdefault(unit.method, deque()) if unit.phase == "search" else self._confirm

    def _next_queue(self) -> deque[Unit] | None:
        waiting = [name for name in self.spent if self._search.get(name)]
        if waiting:
            return self._search[min(waiting, key=lambda name: self.spent[name])]
        return self._confirm or None
