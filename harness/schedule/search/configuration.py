"""A configuration of a search: how far it was taken, what it scored, and what a sampler learns of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from harness.plan import Unit
from harness.spec.search import Objective

Status = Literal["open", "complete", "raced_out", "stopped", "failed"]


class Told(NamedTuple):
    """What a sampler learns of a configuration.

    Attributes:
        status: how it ended.
        values: one number per objective: means over all folds, or the estimate of one that was raced out; ``None`` for
            one that failed, or was stopped at an early epoch.
        halts: scores by epoch of one that was stopped.
    """

    status: Status
    values: tuple[float, ...] | None
    halts: dict[int, float]


@runtime_checkable
class Asks(Protocol):
    """What a search needs of a sampler."""

    def ask(self, number: int) -> dict[str, Any]:
        """The values of a configuration."""
        ...

    def tell(self, number: int, told: Told) -> None:
        """What became of a configuration."""
        ...


class Measures(NamedTuple):
    """How ended units are judged.

    Attributes:
        score: the first objective of a unit, ``None`` if it has no result.
        further: another objective of a unit that has a result.
        why_not: why a unit has no result.
        clips: training clips of each fold, in those of an average fold; folds that are not named count 1.
    """

    score: Callable[[Unit], float | None]
    further: Callable[[Unit, Objective], float]
    why_not: Callable[[Unit], str]
    clips: dict[int, float]


class Priced(NamedTuple):
    """A unit to train now, and what is spent on it beyond what it was trained before."""

    unit: Unit
    cost: float


@dataclass(kw_only=True)
class Configuration:
    """A configuration and how far it has been taken.

    Attributes:
        number: 0 is the recipe as written.
        known: configurations whose fate was known when it was asked.
        values: the searched numbers, by dotted path.
        folds: all folds of the search in the order in which they are trained.
        planned: the whole training of each fold.
        stage: of its races and halts, counted from 0.
        waiting: folds of the stage that are not trained to its end.
        units: those that it was given so far, as far as it was given them.
        reached: the first objective by fold, at the epoch to which it was trained last.
        scores: the first objective by fold, for trainings that were not halted.
        halts: mean score by epoch at which its first trainings were halted.
        cost: spent so far, in trainings of the search's epochs at one pass a step.
        status: ``open`` until all folds are trained or it is given up.
        reason: why it was given up.
        objectives: one number per objective, once it is complete.
        estimate: what it would have scored, if it was raced out.
    """

    number: int
    known: int
    values: dict[str, Any]
    folds: tuple[int, ...]
    planned: dict[int, Unit]
    stage: int = 0
    waiting: set[int] = field(default_factory=set)
    units: dict[int, Unit] = field(default_factory=dict)
    reached: dict[int, float] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    halts: dict[int, float] = field(default_factory=dict)
    cost: float = 0.0
    status: Status = "open"
    reason: str = ""
    objectives: dict[Objective, float] = field(default_factory=dict)
    estimate: float | None = None

    @property
    def told(self) -> Told:
        """What the sampler learns."""
        if self.status == "complete":
            return Told(self.status, tuple(self.objectives.values()), {})
        if self.status == "raced_out" and self.estimate is not None:
            return Told(self.status, (self.estimate,), {})
        return Told(self.status, None, self.halts if self.status == "stopped" else {})
