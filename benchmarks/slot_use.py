"""How long slots wait while a search has trainings left, by how many workers it imagines, beside two other schedules.

    python benchmarks/slot_use.py
    python benchmarks/slot_use.py --slots 8 --methods 1 --configurations 100

The harness's own state machine searches (random configurations, five folds, paired racing) and confirms, and no network
is trained: a training takes a time drawn evenly within ``--spread`` of its cost, and scores are as in ``racing.py``.
Beside it, on the same scores and times:

- *rounds*: each method asks as many configurations as there are slots together; a stage, which is one more fold of each
  that is left, begins when the one before has ended for all. So the harness searched before it had a clock of its own.
- *whole*: a slot trains a configuration's folds one after another, all of them, which needs no decisions.

Busy is the share of their time that slots train between their first and their last training. Wall is the time until the
study's end in those of one training; what costs less trains fewer, too.
"""

import argparse
import random
import tempfile
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from statistics import fmean
from typing import NamedTuple, Protocol

from harness.schedule.brain import Brain
from harness.schedule.search.asking import Asker, open_journal
from harness.schedule.search.racing import loses
from harness.seeds import derive
from harness.spec.search import RacingSpec
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef

FOLDS = 5
QUALITY, DIFFICULTY, NOISE = 0.05, 0.03, 0.015
"""Standard deviations of a configuration's quality, of folds and of a training's noise, as in ``racing.py``."""


class Training(NamedTuple):
    """What takes up a slot; several folds one after another in schedule ``whole``."""

    method: int
    configuration: int
    folds: tuple[int, ...]
    of: object = None


class Schedule(Protocol):
    """Says what can be trained now."""

    def next(self) -> Training | None:
        """A training, or ``None`` if none can start now."""

    def ended(self, training: Training) -> None:
        """Learn that one has ended."""


class Use(NamedTuple):
    """What became of a simulated study."""

    busy: float
    wall: float
    trainings: int


def _drawn(*key: object) -> random.Random:
    return random.Random(derive(*map(str, key)))


def score(method: int, configuration: int, fold: int) -> float:
    """On one fold: the same whoever asks and when."""
    quality = _drawn("quality", method, configuration).gauss(0.6, QUALITY)
    return quality + _drawn("fold", fold).gauss(0, DIFFICULTY) + _drawn(method, configuration, fold).gauss(0, NOISE)


def simulate(schedule: Schedule, slots: int, spread: float) -> Use:
    """Run a schedule; a training goes to the slot that was freed last."""
    now = worked = waited = 0.0
    trainings, freed = 0, [0.0] * slots
    running: list[tuple[float, int, Training]] = []
    while True:
        while freed and (training := schedule.next()):
            waited += now - freed.pop()
            names = (("seconds", training.method, training.configuration, fold) for fold in training.folds)
            seconds = sum(_drawn(*name).uniform(1 - spread, 1 + spread) for name in names)
            worked += seconds
            trainings += len(training.folds)
            heappush(running, (now + seconds, trainings, training))
        if not running:
            return Use(worked / (worked + waited), now, trainings)
        now, _, training = heappop(running)
        freed.append(now)
        schedule.ended(training)


class Harness:
    """The harness's state machine."""

    def __init__(self, methods: int, configurations: int, parallel: int, folder: Path) -> None:
        method = {"model": {"name": "x3d"}, "search": {"optimizer.learning_rate": {"log_uniform": [1e-4, 1.0]}}}
        study = StudySpec.model_validate(
            {
                "name": "simulated",
                "question": "Who waits?",
                "dataset": {"name": "synthetic"},
                "folds": list(range(1, FOLDS + 1)),
                "search": {"configurations": configurations, "parallel": parallel, "sampler": "random"},
                "methods": {str(number): method for number in range(methods)},
            }
        )
        data, journal, finished = DataRef(name="synthetic", fingerprint="none"), open_journal(folder / "journal"), set()
        self._finished: set[str] = finished
        self._brain = Brain(
            study=study,
            dataset=data,
            askers={name: Asker(study, data, name, journal) for name in study.methods},
            is_finished=lambda unit: unit.key in finished,
            score=lambda unit: score(int(unit.method), unit.configuration, unit.trial.fold),
        )

    def next(self) -> Training | None:
        """What the state machine hands out."""
        unit = self._brain.next()
        return Training(int(unit.method), unit.configuration, (unit.trial.fold,), unit) if unit else None

    def ended(self, training: Training) -> None:
        """Tell the state machine."""
        self._finished.add(training.of.key)
        self._brain.finished(training.of)


class Rounds:
    """Rounds of configurations in stages of one fold, at whose ends all wait for all; the first is trained whole."""

    def __init__(self, methods: int, configurations: int, size: int) -> None:
        self._size, self._left = size, {method: deque(range(configurations)) for method in range(methods)}
        self._open: dict[int, dict[int, dict[int, float]]] = {method: {} for method in self._left}
        self._complete: dict[int, dict[int, dict[int, float]]] = {method: {} for method in self._left}
        self._awaited = dict.fromkeys(self._left, 0)
        self._queue = deque[Training]()
        for method in self._left:
            self._go_on(method)

    def next(self) -> Training | None:
        """First come, first served."""
        return self._queue.popleft() if self._queue else None

    def ended(self, training: Training) -> None:
        """The last of a stage ends it."""
        method, number, (fold,), _ = training
        if number in self._open[method]:
            self._open[method][number][fold] = score(method, number, fold)
        self._awaited[method] -= 1
        if not self._awaited[method]:
            self._judge(method)
            self._go_on(method)

    def _judge(self, method: int) -> None:
        racing, complete = self._open[method], self._complete[method]
        for number in [number for number, seen in racing.items() if len(seen) == FOLDS]:
            complete[number] = racing.pop(number)
        best = max(complete.values(), key=lambda seen: fmean(seen.values()), default={})
        for number in [number for number, seen in racing.items() if loses(seen, best, "paired", RacingSpec())]:
            del racing[number]

    def _go_on(self, method: int) -> None:
        racing, left = self._open[method], self._left[method]
        if not racing and left:
            racing.update({left.popleft(): {} for _ in range(min(self._size, len(left)))})
        for number, seen in racing.items():
            order = _drawn("order", number).sample(range(1, FOLDS + 1), FOLDS)
            folds = order if number == 0 else order[len(seen) : len(seen) + 1]
            self._add(method, number, folds)
        if not racing and self._complete[method]:
            self._complete[method] = {}
            self._add(method, -1, range(1, FOLDS + 1))  # the confirmation

    def _add(self, method: int, number: int, folds: Sequence[int]) -> None:
        self._queue += [Training(method, number, (fold,)) for fold in folds]
        self._awaited[method] += len(folds)


class Whole:
    """Whole configurations, as a slot takes them; confirmation as a training a fold."""

    def __init__(self, methods: int, configurations: int) -> None:
        folds = tuple(range(1, FOLDS + 1))
        self._queue = deque(Training(m, number, folds) for number in range(configurations) for m in range(methods))
        self._left = dict.fromkeys(range(methods), configurations)

    def next(self) -> Training | None:
        """First come, first served."""
        return self._queue.popleft() if self._queue else None

    def ended(self, training: Training) -> None:
        """The last of a method begins its confirmation."""
        self._left[training.method] -= 1
        if not self._left[training.method]:
            self._queue += [Training(training.method, -1, (fold,)) for fold in range(1, FOLDS + 1)]


def main() -> None:
    """Print a row for each number of methods and slots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configurations", type=int, default=60)
    parser.add_argument("--spread", type=float, default=0.2)
    parser.add_argument("--methods", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--slots", type=int, nargs="*", default=[2, 4, 8, 16])
    chosen = parser.parse_args()
    ratios = (1.0, 1.5, 2.0)
    names = ["rounds", "whole", *(f"{ratio:g} a slot" for ratio in ratios)]
    print("| methods | slots | " + " | ".join(names) + " |\n|--:|--:|" + "--:|" * len(names))
    for methods in chosen.methods:
        for slots in chosen.slots:
            contestants: list[Schedule] = [
                Rounds(methods, chosen.configurations, slots),
                Whole(methods, chosen.configurations),
            ]
            with tempfile.TemporaryDirectory() as folder:
                for ratio in ratios:
                    (place := Path(folder) / str(ratio)).mkdir()
                    contestants.append(Harness(methods, chosen.configurations, round(ratio * slots), place))
                uses = [simulate(one, slots, chosen.spread) for one in contestants]
            cells = (f"{use.busy:.0%}, wall {use.wall:.0f}, {use.trainings}" for use in uses)
            print(f"| {methods} | {slots} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
