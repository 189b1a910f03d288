"""One method's search: which configurations are tried, and how far each is taken.

A search reckons with ``parallel`` workers that it imagines, each of which takes exactly as long for a training as that
costs. Where a training ends on this clock its configuration is judged, by the scores of all that ended before; losers
are given up, and a worker that is free takes up what waits, or a new configuration. So what a search does is a function
of stored scores alone: neither the speed of machines nor an interruption changes it. Real slots train whatever has been
started on the imagined clock, which waits for the training that ends on it next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from harness.plan import (
    fold_order,
    most_configurations,
    search_epochs,
    search_folds,
    search_of,
    search_units,
    training_cost,
)
from harness.schedule.search.configuration import Asks, Configuration, Measures, Priced, Status
from harness.schedule.search.racing import estimate, loses
from harness.schedule.search.stopping import Stage, stages, stops
from harness.schedule.search.virtual_workers import VirtualWorkers
from harness.spec.space import most_passes
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef


class Training(NamedTuple):
    """A configuration's training on a fold up to an epoch, ``None`` for the last."""

    configuration: Configuration
    fold: int
    epochs: int | None


class MethodSearch:
    """The search of one method.

    Attributes:
        configurations: all that were asked, by number.
        chosen: the one to confirm, once the search is over.
    """

    def __init__(self, study: StudySpec, dataset: DataRef, method: str, asker: Asks, measures: Measures) -> None:
        self.configurations: dict[int, Configuration] = {}
        self.chosen: int | None = None
        self._study, self._dataset, self._method = study, dataset, method
        self._asker, self._measures = asker, measures
        self._spec, folds = search_of(study), len(search_folds(study))
        self._epochs, self._most = search_epochs(study, method), most_configurations(study, method)
        self._rule = self._spec.racing_rule(folds)
        together = folds if self._rule == "none" else self._spec.racing.folds_per_stage
        self._stages = stages(self._spec.stopping, self._epochs, folds, together)
        self._workers = VirtualWorkers[Training](count=self._spec.parallel)
        self._queue = deque[Training]()

    @property
    def spent(self) -> float:
        """Cost of all that was asked for."""
        return sum((one.cost for one in self.configurations.values()), 0.0)

    @property
    def incumbent(self) -> Configuration | None:
        """The best complete configuration by the first objective; ties go to the lower number."""
        first = self._spec.objectives[0]
        complete = [one for one in self.configurations.values() if one.status == "complete"]
        return max(complete, key=lambda one: (one.objectives[first], -one.number), default=None)

    def next_units(self, awaited: Container[str]) -> list[Priced]:
        """Go on until there is something to train or the clock waits; nothing once a choice is made.

        Args:
            awaited: names of units that have not ended.
        """
        if self.chosen is not None:
            return []
        started = self._start()
        while not started and (first := self._workers.first):
            if first.configuration.units[first.fold].key in awaited:
                return []
            self._ended(self._workers.end_first())
            started = self._start()
        if not started:
            best = self.incumbent
            self.chosen = best.number if best else 0
        return started

    def _start(self) -> list[Priced]:
        """Give every free worker what waits, or else the first trainings of a new configuration."""
        started = []
        while self._workers.free and (self._queue or self._ask()):
            training = self._queue.popleft()
            priced = self._extend(*training)
            # The recipe as written takes no time, so that whoever is judged is judged against it.
            self._workers.start(training, priced.cost if training.configuration.number else 0.0)
            started.append(priced)
        return started

    def _ask(self) -> bool:
        """Ask for a new configuration, if one may be asked now."""
        number = len(self.configurations)
        if not self._allowed(number):
            return False
        values = self._asker.ask(number)
        units = search_units(self._study, self._dataset, self._method, number, values)
        self.configurations[number] = one = Configuration(
            number=number,
            known=sum(other.status != "open" for other in self.configurations.values()),
            values=values,
            folds=fold_order(self._study, number),
            planned={unit.trial.fold: unit for unit in units},
        )
        self._queue_stage(one)
        return True

    def _allowed(self, number: int) -> bool:
        """Whether one more configuration fits in, should it and all that are open be trained on all folds."""
        if self._spec.budget is None or number == 0:
            return number < self._most
        clips = sum(self._measures.clips.get(fold, 1.0) for fold in search_folds(self._study))
        passes = most_passes(self._study.methods[self._method])
        whole = training_cost(self._study, passes, self._epochs, clips)
        reserved = sum(whole if one.status == "open" else one.cost for one in self.configurations.values())
        return number < self._most and reserved + whole <= self._spec.budget * (1 + 1e-9)

    def _queue_stage(self, one: Configuration) -> None:
        """Queue the trainings of a configuration's stage that it has not been given yet."""
        stage = self._stage_of(one)
        for fold in one.folds[: stage.folds]:
            unit = one.units.get(fold)
            if unit is None or (unit.stop_after is not None and unit.stop_after != stage.epochs):
                one.waiting.add(fold)
                self._queue.append(Training(one, fold, stage.epochs))

    def _stage_of(self, one: Configuration) -> Stage:
        """The recipe as written is trained on all folds at once and never halted."""
        return self._stages[one.stage] if one.number else Stage(None, len(one.folds))

    def _extend(self, one: Configuration, fold: int, epochs: int | None) -> Priced:
        """Ask for a fold's training up to an epoch; what it was trained before is not paid again."""
        trained = one.units[fold].stop_after or 0 if fold in one.units else 0
        one.units[fold] = unit = replace(one.planned[fold], stop_after=epochs)
        clips = self._measures.clips.get(fold, 1.0)
        passes = unit.trial.recipe.optimizer.passes_per_step
        cost = training_cost(self._study, passes, (epochs or self._epochs) - trained, clips)
        one.cost += cost
        return Priced(unit, cost)

    def _ended(self, training: Training) -> None:
        """Read a training's score; the last of a stage tells what becomes of its configuration."""
        one, fold, epochs = training
        if one.status != "open":
            return
        unit = one.units[fold]
        score = self._measures.score(unit)
        one.waiting.discard(fold)
        if score is None:
            one.reason = f"fold {fold}: {self._measures.why_not(unit)}"
            self._close(one, "failed")
            return
        one.reached[fold] = score
        if epochs is None:
            one.scores[fold] = score
        if not one.waiting:
            self._judge(one)

    def _judge(self, one: Configuration) -> None:
        """End a configuration's stage: it is complete, is given up, or goes on to the next one."""
        epochs = self._stage_of(one).epochs
        if one.number == 0:
            self._halts_of_the_written(one)
        elif epochs is not None:
            one.halts[epochs] = fmean(one.reached.values())
        if len(one.scores) == len(one.folds):
            self._complete(one)
        elif epochs is not None:
            self._stop(one, epochs)
        else:
            self._race(one)
        if one.status == "open":
            one.stage += 1
            self._queue_stage(one)

    def _halts_of_the_written(self, one: Configuration) -> None:
        """The recipe as written is never halted, but others are compared with what it had reached."""
        for stage in self._stages:
            if stage.epochs is not None:
                units = [replace(one.units[fold], stop_after=stage.epochs) for fold in one.folds[: stage.folds]]
                scores = [self._measures.score(unit) for unit in units]
                one.halts[stage.epochs] = fmean(score for score in scores if score is not None)

    def _complete(self, one: Configuration) -> None:
        first, *others = self._spec.objectives
        one.objectives = {first: fmean(one.scores[fold] for fold in sorted(one.scores))}
        for name in others:
            found = (self._measures.further(unit, name) for _, unit in sorted(one.units.items()))
            one.objectives[name] = one.cost if name == "cost" else fmean(found)
        self._close(one, "complete")

    def _stop(self, one: Configuration, epoch: int) -> None:
        seen = [other.halts[epoch] for other in self.configurations.values() if epoch in other.halts]
        reason = stops(one.halts[epoch], seen, self._spec.stopping)
        if reason:
            one.reason = f"epoch {epoch}: {reason}"
            self._close(one, "stopped")

    def _race(self, one: Configuration) -> None:
        best = self.incumbent
        reason = loses(one.scores, best.scores, self._rule, self._spec.racing) if best else ""
        if best and reason:
            one.reason, one.estimate = f"against #{best.number}: {reason}", estimate(one.scores, best.scores)
            self._close(one, "raced_out")

    def _close(self, one: Configuration, status: Status) -> None:
        """End a configuration: what of it waits is not trained, and the sampler is told."""
        one.status = status
        self._queue = deque(training for training in self._queue if training.configuration is not one)
        self._asker.tell(one.number, one.told)
