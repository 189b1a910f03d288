"""From a study to the trainings that it asks for; pure, nothing is opened or run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from harness.errors import LISTED, CollectedError, HarnessError, near_miss
from harness.plugins import names
from harness.seeds import derive
from harness.spec.search import DEFAULT_CONFIGURATIONS, WILCOXON_FOLDS, SearchSpec
from harness.spec.space import first_configurations, most_passes, space_problems
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef, TrainingSpec, TrialSpec

Phase = Literal["search", "confirm"]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A trial and why the study wants it.

    Attributes:
        method: the study's name for the method.
        phase: ``search`` units are judged on validation clips only; ``confirm`` units are tested and reported.
        configuration: number of the configuration in the method's search; 0 is the recipe as written.
        values: the searched numbers of this configuration, by dotted path.
        trial: what is trained.
        stop_after: the epoch at which a search halts it for now; ``None`` trains it to its end.
    """

    method: str
    phase: Phase
    configuration: int
    values: dict[str, Any] = field(default_factory=dict)
    trial: TrialSpec
    stop_after: int | None = None

    @property
    def key(self) -> str:
        """Its name within the study: the same training may be wanted twice, for search and for confirmation."""
        return f"{self.phase}:{self.method}:{self.configuration}:{self.trial.trial_id}"

    @property
    def label(self) -> str:
        """For people: method, configuration, fold, seed."""
        configuration = f" #{self.configuration}" if self.phase == "search" else ""
        return f"{self.method}{configuration} fold {self.trial.fold} seed {self.trial.seed}"


class Count(NamedTuple):
    """How many trainings a method asks for at most, and how many epochs they have together.

    A search that races, stops early or has a budget may need fewer.
    """

    search: int
    confirm: int
    epochs: int


def search_of(study: StudySpec) -> SearchSpec:
    """The study's search section.

    Raises:
        HarnessError: if it has none.
    """
    if study.search is None:
        raise HarnessError(f"Study '{study.name}' has no search section.")
    return study.search


def training_of(study: StudySpec, method: str) -> TrainingSpec:
    """The study's training, with the method's own number of epochs if it has one."""
    epochs = study.methods[method].epochs
    return study.training.model_copy(update={"epochs": epochs}) if epochs else study.training


def search_units(
    study: StudySpec, dataset: DataRef, method: str, configuration: int, values: dict[str, Any]
) -> list[Unit]:
    """One configuration of a method on every fold that the search uses."""
    search, training = search_of(study), training_of(study, method)
    if search.epochs:
        training = training.model_copy(update={"epochs": search.epochs})
    trials = _trials(study, dataset, method, values, training)
    asked: dict[str, Any] = {"method": method, "configuration": configuration, "values": values}
    return [Unit(phase="search", trial=trials(fold, search.seed), **asked) for fold in search_folds(study)]


def _trials(
    study: StudySpec, dataset: DataRef, method: str, values: dict[str, Any], training: TrainingSpec
) -> Callable[[int, int], TrialSpec]:
    """A configuration's trial on a fold with a seed."""
    recipe = study.methods[method].recipe.with_values(values)
    return lambda fold, seed: TrialSpec(
        dataset=dataset,
        fold=fold,
        seed=seed,
        clip=study.clip,
        validation=study.validation,
        training=training,
        recipe=recipe,
    )


def search_folds(study: StudySpec) -> tuple[int, ...]:
    """The folds that configurations are judged on."""
    return search_of(study).folds or study.folds


def fold_order(study: StudySpec, configuration: int) -> tuple[int, ...]:
    """The order in which a configuration is trained on its folds: shuffled, and the same for all methods.

    A fixed order would let a first fold that is easy for some recipes decide races. Halts at early epochs compare
    configurations on their first folds, so a search that stops has one order for all.
    """
    folds, search = search_folds(study), search_of(study)
    number = 0 if search.stopping.rule != "none" else configuration
    seed = derive(search.seed, "folds", number)
    return tuple(folds[index] for index in np.random.default_rng(seed).permutation(len(folds)))


def search_epochs(study: StudySpec, method: str) -> int:
    """Epochs of one training of a method's search."""
    return search_of(study).epochs or training_of(study, method).epochs


def training_cost(study: StudySpec, passes: float, epochs: int, clips: float = 1.0) -> float:
    """What a search training costs, in trainings of the search's epochs at one pass a step: epochs x passes x clips.

    Args:
        study: a study with a search; without ``search.epochs`` the unit has ``training.epochs``.
        passes: per step; a SAM makes two.
        epochs: how long.
        clips: training clips of the fold, in those of an average fold.
    """
    return epochs * passes * clips / (search_of(study).epochs or study.training.epochs)


def most_configurations(study: StudySpec, method: str) -> int:
    """The largest number of configurations that a method's search may ask; 1 or more."""
    search, spec = search_of(study), study.methods[method]
    limits: list[float] = [] if search.configurations is None else [search.configurations]
    if search.sampler == "grid":
        limits.append(len(first_configurations(spec, with_grid=True)))
    if search.budget is not None:
        limits.append(max(1, math.floor(search.budget / training_cost(study, 1.0, 1))))
    return int(min(limits, default=DEFAULT_CONFIGURATIONS))


def confirm_units(
    study: StudySpec, dataset: DataRef, method: str, configuration: int, values: dict[str, Any]
) -> list[Unit]:
    """The chosen configuration of a method on every fold with every seed."""
    trials = _trials(study, dataset, method, values, training_of(study, method))
    pairs = ((fold, seed) for seed in study.seeds for fold in study.folds)
    asked: dict[str, Any] = {"method": method, "configuration": configuration, "values": values}
    return [Unit(phase="confirm", trial=trials(fold, seed), **asked) for fold, seed in pairs]


def counts(study: StudySpec) -> dict[str, Count]:
    """Trainings and epochs per method."""
    return {name: _count(study, name) for name in study.methods}


def _count(study: StudySpec, method: str) -> Count:
    epochs = training_of(study, method).epochs
    confirm = len(study.folds) * len(study.seeds)
    search = most_search_trainings(study, method) if study.methods[method].search and study.search else 0
    search_epochs_each = search_epochs(study, method) if search else 0
    return Count(search, confirm, search * search_epochs_each + confirm * epochs)


def most_search_trainings(study: StudySpec, method: str) -> int:
    """The largest number of whole trainings that a method's search may ask."""
    search, folds = search_of(study), len(search_folds(study))
    most = most_configurations(study, method) * folds
    if search.budget is None:
        return most
    return max(folds, min(most, math.floor(search.budget / training_cost(study, 1.0, search_epochs(study, method)))))


def check(study: StudySpec, file: str) -> None:
    """Find every name and number in a study that cannot be, without importing a plugin.

    Raises:
        CollectedError: all mistakes, each with the nearest valid name.
    """
    problems = [f"{file}: {problem}" for problem in _problems(study)]
    if len(problems) == 1:
        raise HarnessError(problems[0])
    if problems:
        raise CollectedError(f"{file}: {len(problems)} mistakes", problems)


def _problems(study: StudySpec) -> Iterator[str]:
    yield from _unknown("dataset", study.dataset.name, "dataset")
    for name, method in study.methods.items():
        yield from _unknown("model", method.model.name, f"methods.{name}.model")
        yield from _unknown("objective", method.objective.name, f"methods.{name}.objective")
    yield from _search_problems(study)
    for perturbation in study.stress.names:
        if "." not in perturbation:
            yield from _unknown("perturbation", perturbation, "stress")


def _unknown(kind: str, name: str, where: str) -> Iterator[str]:
    known = names(kind)
    if name not in known:
        yield f"{where}: no {kind} named '{name}'. {near_miss(name, known, LISTED[kind])}"


def _points_over_budget(study: StudySpec, method: str) -> Iterator[str]:
    """Points that would be left out without a word, if those before them were trained on all folds."""
    spec, count = study.methods[method], len(study.methods[method].points) + 1
    if study.search is None or study.search.budget is None or not spec.points:
        return
    whole = training_cost(study, most_passes(spec), search_epochs(study, method)) * len(search_folds(study))
    if count * whole > study.search.budget:
        yield (
            f"methods.{method}.points: the written configuration and {count - 1} points may cost {count * whole:g}, "
            f"and search.budget is {study.search.budget:g}. Raise it, or leave points out."
        )


def _search_problems(study: StudySpec) -> Iterator[str]:
    sampler = study.search.sampler if study.search else None
    for name, method in study.methods.items():
        yield from (f"methods.{name}.{problem}" for problem in space_problems(method, sampler))
        most = study.search.configurations if study.search else None
        if most is not None and len(method.points) >= most:
            yield f"methods.{name}.points: {len(method.points)} and the written one are more than {most} configurations"
        yield from _points_over_budget(study, name)
    if study.search is None:
        return
    folds, rule = search_folds(study), study.search.racing.rule
    if rule == "wilcoxon" and len(folds) < WILCOXON_FOLDS:
        yield (
            f"search.racing: wilcoxon needs {WILCOXON_FOLDS} folds or more and the search has {len(folds)}: the "
            "smallest p-value of n folds is 2^-n. Use paired."
        )
    if rule == "paired" and len(folds) < 2:
        yield "search.racing: there is one fold, so nothing is left to save. Leave racing out."
