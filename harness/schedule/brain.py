"""What a study still has to do: a state machine over units, the same for every executor.

The brain hands out units, learns which have ended, asks the next round of a search when a round is complete, and turns
a finished search into the trainings of the chosen configuration. Finished units on storage are the only truth it keeps:
started on a half-done study it skips what is there. A search's rounds are complete before the next one is asked, so
what is tried does not depend on which trial ended first, nor on where it ran.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from harness.plan import Unit, confirm_units, search_of, search_units
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef

IsFinished = Callable[[Unit], bool]
Score = Callable[[Unit], float | None]


@runtime_checkable
class Asks(Protocol):
    """What the brain needs of a search."""

    def ask(self, number: int) -> dict[str, Any]:
        """The values of a configuration."""
        ...

    def tell(self, number: int, score: float | None) -> None:
        """The score of a configuration, or ``None`` for a failure."""
        ...


@dataclass(kw_only=True)
class Search:
    """One method's search: configurations asked, their units, their scores."""

    asker: Asks
    units: dict[int, list[Unit]] = field(default_factory=dict)
    scores: dict[int, float | None] = field(default_factory=dict)
    chosen: int | None = None


@dataclass(kw_only=True)
class Brain:
    """Hands out the units of a study.

    Attributes:
        study: what is asked.
        dataset: the data as trials know it.
        askers: one per method that is searched.
        is_finished: whether a unit is done on storage.
        score: a finished search unit's validation score, ``None`` if it diverged.
    """

    study: StudySpec
    dataset: DataRef
    askers: dict[str, Asks]
    is_finished: IsFinished
    score: Score
    units: dict[str, Unit] = field(default_factory=dict)
    recognised: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _running: set[str] = field(default_factory=set)
    _ready: deque[Unit] = field(default_factory=deque)
    _searches: dict[str, Search] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._searches = {name: Search(asker=asker) for name, asker in self.askers.items()}
        for name in self.study.methods:
            if name in self._searches:
                self._advance(name)
            else:
                self._add(confirm_units(self.study, self.dataset, name, 0, {}))

    @property
    def done(self) -> bool:
        """Whether nothing is ready and nothing runs."""
        return not self._ready and not self._running

    @property
    def chosen(self) -> dict[str, int]:
        """The configuration that each method is confirmed with, as far as it is known; 0 without a search."""
        known = {name: search.chosen for name, search in self._searches.items() if search.chosen is not None}
        return {name: known.get(name, 0) for name in self.study.methods if name in known or name not in self._searches}

    def next(self) -> Unit | None:
        """A unit to run now, or ``None``; search units go first, and no training runs twice at the same time."""
        taken = {self.units[name].trial.trial_id for name in self._running}
        free = [unit for unit in self._ready if unit.trial.trial_id not in taken]
        if not free:
            return None
        first = next((unit for unit in free if unit.phase == "search"), free[0])
        self._ready.remove(first)
        self._running.add(key(first))
        return first

    def finished(self, unit: Unit, error: str = "") -> None:
        """Learn that a unit has ended; ``error`` says why it has no result."""
        self._running.discard(key(unit))
        self._ended.add(key(unit))
        if error:
            self.failed[key(unit)] = error
        if unit.phase == "search":
            self._advance(unit.method)

    def put_back(self) -> None:
        """Make every running unit ready again, after an executor died under it."""
        for name in sorted(self._running):
            self._ready.append(self.units[name])
        self._running.clear()

    def _add(self, units: list[Unit]) -> None:
        """Queue units, except those that storage already holds."""
        for unit in units:
            self.units[key(unit)] = unit
            if self.is_finished(unit):
                self.recognised.add(key(unit))
                self._ended.add(key(unit))
            else:
                self._ready.append(unit)

    def _advance(self, method: str) -> None:
        """Ask the next round, or choose, whenever all asked configurations have ended."""
        search = self._searches[method]
        limits = search_of(self.study)
        while search.chosen is None and self._round_over(search):
            for number in sorted(set(search.units) - set(search.scores)):
                search.scores[number] = self._mean_score(search.units[number])
                search.asker.tell(number, search.scores[number])
            asked = len(search.units)
            if asked == limits.configurations:
                self._choose(method)
                return
            for number in range(asked, min(asked + limits.round_size, limits.configurations)):
                values = search.asker.ask(number)
                search.units[number] = search_units(self.study, self.dataset, method, number, values)
                self._add(search.units[number])

    def _round_over(self, search: Search) -> bool:
        return all(key(unit) in self._ended for units in search.units.values() for unit in units)

    def _mean_score(self, units: list[Unit]) -> float | None:
        """Mean over folds; a configuration that failed on any fold has no score."""
        scores = [None if key(unit) in self.failed else self.score(unit) for unit in units]
        found = [score for score in scores if score is not None]
        return sum(found) / len(found) if len(found) == len(scores) else None

    def _choose(self, method: str) -> None:
        """Confirm the best configuration; ties go to the lower number, and the written recipe if all failed."""
        search = self._searches[method]
        scored = {number: score for number, score in search.scores.items() if score is not None}
        search.chosen = max(scored, key=lambda number: (scored[number], -number), default=0)
        values = search.asker.ask(search.chosen)
        self._add(confirm_units(self.study, self.dataset, method, search.chosen, values))


def key(unit: Unit) -> str:
    """A unit's name within its study: the same training may be wanted twice, for search and for confirmation."""
    return f"{unit.phase}:{unit.method}:{unit.configuration}:{unit.trial.trial_id}"
