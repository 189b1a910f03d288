"""What a study still has to do: a state machine over units, the same for every executor.

The brain hands out units, learns which have ended, lets each method's search go on by what they scored, and
turns a finished search into the trainings of the chosen configuration. Finished units on storage are the only truth it
keeps: started on a half-done study it skips what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.plan import Unit, confirm_units
from harness.schedule.search.configuration import Asks, Measures
from harness.schedule.search.method_search import MethodSearch
from harness.schedule.search.ready import Ready
from harness.spec.search import Objective
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef

IsFinished = Callable[[Unit], bool]
Score = Callable[[Unit], float | None]
Further = Callable[[Unit, Objective], float]

__all__ = ["Asks", "Brain", "IsFinished", "Score", "key"]


def _no_further(unit: Unit, objective: Objective) -> float:
    raise ValueError(f"nothing measures {objective}")


@dataclass(kw_only=True)
class Brain:
    """Hands out the units of a study.

    Attributes:
        study: what is asked.
        dataset: the data as trials know it.
        askers: one per method that is searched.
        is_finished: whether a unit is done on storage.
        score: a finished search unit's first objective, ``None`` if it diverged.
        further: a finished search unit's other objectives.
        clips: training clips of each fold; equal if not given.
        units: all that were asked for so far, by name; a training that was halted and goes on is one unit.
        recognised: names of those that storage held before they were handed out.
        failed: names of those without a result, and why.
        searches: each method's search.
    """

    study: StudySpec
    dataset: DataRef
    askers: Mapping[str, Asks]
    is_finished: IsFinished
    score: Score
    further: Further = _no_further
    clips: Mapping[int, int] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    recognised: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    searches: dict[str, MethodSearch] = field(default_factory=dict)
    _ready: Ready = field(default_factory=lambda: Ready(spent={}))
    _awaited: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mean = sum(self.clips.values()) / max(1, len(self.clips))
        measures = Measures(
            score=lambda unit: None if key(unit) in self.failed else self.score(unit),
            further=self.further,
            why_not=lambda unit: self.failed.get(key(unit), "its training diverged"),
            clips={fold: count / mean for fold, count in self.clips.items()},
        )
        self._ready.spent = dict.fromkeys(self.askers, 0.0)
        for name in self.study.methods:
            if name in self.askers:
                search = MethodSearch(self.study, self.dataset, name, self.askers[name], measures)
                self.searches[name], self._awaited[name] = search, set()
                self._advance(name)
            else:
                for unit in confirm_units(self.study, self.dataset, name, 0, {}):
                    self._add(unit)

    @property
    def done(self) -> bool:
        """Whether nothing is ready and nothing runs."""
        return self._ready.empty

    @property
    def gained(self) -> set[str]:
        """Names of those brought to a result that storage did not hold, once nothing is left to do."""
        return self.units.keys() - self.recognised - self.failed.keys()

    @property
    def chosen(self) -> dict[str, int]:
        """The configuration that each method is confirmed with, as far as it is known; 0 without a search."""
        known = {name: search.chosen for name, search in self.searches.items()}
        every = {name: known.get(name, 0) for name in self.study.methods}
        return {name: number for name, number in every.items() if number is not None}

    @property
    def spent(self) -> dict[str, float]:
        """What each method's search has been given, in trainings of the search's epochs at one pass a step."""
        return dict(self._ready.spent)

    def next(self) -> Unit | None:
        """A unit to run now, or ``None``; search units go first, those of the method that has spent least before all.

        No training runs twice at the same time.
        """
        return self._ready.take()

    def finished(self, unit: Unit, error: str = "") -> None:
        """Learn that a unit has ended; ``error`` says why it has no result."""
        self._ready.release(unit)
        if error:
            self.failed[key(unit)] = error
        if unit.phase == "search":
            self._awaited[unit.method].discard(key(unit))
            self._advance(unit.method)

    def put_back(self) -> None:
        """Make every running unit ready again, after an executor died under it."""
        self._ready.put_back()

    def give_back(self, unit: Unit) -> None:
        """Make a unit ready again that was handed out and never began."""
        self._ready.give_back(unit)

    def _add(self, unit: Unit, cost: float = 0.0) -> None:
        """Queue a unit, unless storage already holds it."""
        name = key(unit)
        self.units[name] = unit
        self.recognised.discard(name)
        if self.is_finished(unit):
            self.recognised.add(name)
            if unit.phase == "search":
                self._ready.charge(unit.method, cost)
            return
        self._ready.add(unit, cost)
        if unit.phase == "search":
            self._awaited[unit.method].add(name)

    def _advance(self, method: str) -> None:
        """Let a search go on as far as it can, and confirm what it chooses."""
        search = self.searches[method]
        if search.chosen is not None:
            return
        while units := search.next_units(self._awaited[method]):
            for unit, cost in units:
                self._add(unit, cost)
        if search.chosen is not None:
            values = search.configurations[search.chosen].values
            for unit in confirm_units(self.study, self.dataset, method, search.chosen, values):
                self._add(unit)


def key(unit: Unit) -> str:
    """A unit's name within its study."""
    return unit.key
