"""One method's search: rounds of configurations, each round in stages at whose ends losers are given up.

All decisions are made when every training of a stage has ended, from stored scores alone. So which configurations are
tried, and how far each is taken, depends neither on which training ends first nor on interruptions.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from harness.plan import (
    fold_order,
    most_configurations,
    search_epochs,
    search_folds,
    search_of,
    search_units,
    training_cost,
)
from harness.schedule.search.configuration import Asks, Configuration, Measures, Priced
from harness.schedule.search.racing import estimate, loses
from harness.schedule.search.stopping import Stage, stages, stops
from harness.spec.space import most_passes
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef


class MethodSearch:
    """The rounds of one method's search.

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
        self._stage, self._round, self._rounds = 0, list[Configuration](), 0

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

    def next_units(self) -> list[Priced]:
        """Judge the stage whose units have all ended and say what is trained next; nothing once a choice is made."""
        while self.chosen is None:
            if self._round:
                self._judge(self._stages[self._stage])
                self._stage += 1
            if not any(one.status == "open" for one in self._round):
                self._ask_or_choose()
            units = [] if self.chosen is not None else self._wanted(self._stages[self._stage])
            if units:
                return units
        return []

    def _wanted(self, stage: Stage) -> list[Priced]:
        """The trainings of a stage that have not been asked for yet."""
        found = []
        for one in self._round:
            whole = Stage(None, len(one.folds)) if one.number == 0 else stage
            folds = one.folds[: whole.folds] if one.status == "open" else ()
            found += [self._extend(one, fold, whole.epochs) for fold in folds if self._lacks(one, fold, whole.epochs)]
        return found

    def _lacks(self, one: Configuration, fold: int, epochs: int | None) -> bool:
        unit = one.units.get(fold)
        return unit is None or (unit.stop_after is not None and unit.stop_after != epochs)

    def _extend(self, one: Configuration, fold: int, epochs: int | None) -> Priced:
        """Ask for a fold's training up to an epoch; what it was trained before is not paid again."""
        trained = one.units[fold].stop_after or 0 if fold in one.units else 0
        one.units[fold] = unit = replace(one.planned[fold], stop_after=epochs)
        clips = self._measures.clips.get(fold, 1.0)
        passes = unit.trial.recipe.optimizer.passes_per_step
        cost = training_cost(self._study, passes, (epochs or self._epochs) - trained, clips)
        one.cost += cost
        return Priced(unit, cost)

    def _judge(self, stage: Stage) -> None:
        """Read the scores of a stage, then give up those that lose."""
        judged = [one for one in self._round if one.status == "open"]
        for one in judged:
            self._read(one, stage)
        for one in [one for one in judged if one.status == "open"]:
            if stage.epochs is not None:
                self._stop(one, stage.epochs)
            else:
                self._race(one)

    def _read(self, one: Configuration, stage: Stage) -> None:
        """Fill in a configuration's scores; one whose training failed on any fold has failed."""
        halted = []
        for fold, unit in one.units.items():
            score = one.scores[fold] if fold in one.scores else self._measures.score(unit)
            if score is None:
                one.status, one.reason = "failed", f"fold {fold}: {self._measures.why_not(unit)}"
                return
            if unit.stop_after is None:
                one.scores[fold] = score
            halted.append(score)
        if one.number == 0:
            self._halts_of_the_written(one)
        elif stage.epochs is not None:
            one.halts[stage.epochs] = fmean(halted)
        if len(one.scores) == len(one.folds):
            self._complete(one)

    def _halts_of_the_written(self, one: Configuration) -> None:
        """The recipe as written is never halted, but others are compared with what it had reached."""
        for stage in self._stages:
            if stage.epochs is not None:
                units = [replace(one.units[fold], stop_after=stage.epochs) for fold in one.folds[: stage.folds]]
                scores = [self._measures.score(unit) for unit in units]
                one.halts[stage.epochs] = fmean(score for score in scores if score is not None)

    def _complete(self, one: Configuration) -> None:
        one.status = "complete"
        first, *others = self._spec.objectives
        one.objectives = {first: fmean(one.scores[fold] for fold in sorted(one.scores))}
        for name in others:
            found = (self._measures.further(unit, name) for _, unit in sorted(one.units.items()))
            one.objectives[name] = one.cost if name == "cost" else fmean(found)

    def _stop(self, one: Configuration, epoch: int) -> None:
        seen = [other.halts[epoch] for other in self.configurations.values() if epoch in other.halts]
        one.reason = stops(one.halts[epoch], seen, self._spec.stopping)
        one.status = "stopped" if one.reason else "open"
        one.reason = f"epoch {epoch}: {one.reason}" if one.reason else ""

    def _race(self, one: Configuration) -> None:
        best = self.incumbent
        if best is None:
            return
        one.reason = loses(one.scores, best.scores, self._rule, self._spec.racing)
        if one.reason:
            one.status, one.estimate = "raced_out", estimate(one.scores, best.scores)
            one.reason = f"against #{best.number}: {one.reason}"

    def _ask_or_choose(self) -> None:
        """End a round: tell the sampler, then ask the next one or, if there is none, choose."""
        for one in self._round:
            self._asker.tell(one.number, one.told)
        asked = len(self.configurations)
        numbers = [number for number in range(asked, asked + self._spec.round_size) if self._allowed(number, asked)]
        self._round = [self._asked(number) for number in numbers]
        self.configurations.update({one.number: one for one in self._round})
        self._stage, self._rounds = 0, self._rounds + 1
        if not numbers:
            best = self.incumbent
            self.chosen = best.number if best else 0

    def _asked(self, number: int) -> Configuration:
        values = self._asker.ask(number)
        units = search_units(self._study, self._dataset, self._method, number, values)
        return Configuration(
            number=number,
            round=self._rounds,
            values=values,
            folds=fold_order(self._study, number),
            planned={unit.trial.fold: unit for unit in units},
        )

    def _allowed(self, number: int, asked: int) -> bool:
        """Whether one more configuration fits in, should it and those before it be trained on all folds."""
        if self._spec.budget is None or number == 0:
            return number < self._most
        clips = sum(self._measures.clips.get(fold, 1.0) for fold in search_folds(self._study))
        passes = most_passes(self._study.methods[self._method])
        whole = training_cost(self._study, passes, self._epochs, clips)
        planned = self.spent + (number - asked + 1) * whole
        return number < self._most and planned <= self._spec.budget * (1 + 1e-9)
