"""From a study to the trainings that it asks for; pure, nothing is opened or run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from harness.errors import CollectedError, HarnessError, near_miss
from harness.plugins import names
from harness.spec.method import Domain, MethodSpec, RecipeSpec
from harness.spec.study import SearchSpec, StudySpec
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
    """

    method: str
    phase: Phase
    configuration: int
    values: dict[str, Any] = field(default_factory=dict)
    trial: TrialSpec

    @property
    def label(self) -> str:
        """For people: method, configuration, fold, seed."""
        configuration = f" #{self.configuration}" if self.phase == "search" else ""
        return f"{self.method}{configuration} fold {self.trial.fold} seed {self.trial.seed}"


class Count(NamedTuple):
    """How many trainings a method asks for, and how many epochs they have together."""

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
    search = search_of(study)
    recipe = study.methods[method].recipe.with_values(values)
    training = training_of(study, method)
    if search.epochs:
        training = training.model_copy(update={"epochs": search.epochs})
    return [
        Unit(
            method=method,
            phase="search",
            configuration=configuration,
            values=values,
            trial=TrialSpec(
                dataset=dataset,
                fold=fold,
                seed=search.seed,
                clip=study.clip,
                validation=study.validation,
                training=training,
                recipe=recipe,
            ),
        )
        for fold in search.folds or study.folds
    ]


def confirm_units(
    study: StudySpec, dataset: DataRef, method: str, configuration: int, values: dict[str, Any]
) -> list[Unit]:
    """The chosen configuration of a method on every fold with every seed."""
    recipe = study.methods[method].recipe.with_values(values)
    return [
        Unit(
            method=method,
            phase="confirm",
            configuration=configuration,
            values=values,
            trial=TrialSpec(
                dataset=dataset,
                fold=fold,
                seed=seed,
                clip=study.clip,
                validation=study.validation,
                training=training_of(study, method),
                recipe=recipe,
            ),
        )
        for seed in study.seeds
        for fold in study.folds
    ]


def counts(study: StudySpec) -> dict[str, Count]:
    """Trainings and epochs per method."""
    return {name: _count(study, name) for name in study.methods}


def _count(study: StudySpec, method: str) -> Count:
    epochs = training_of(study, method).epochs
    confirm = len(study.folds) * len(study.seeds)
    search, search_epochs = 0, 0
    if study.methods[method].search and study.search:
        search = study.search.configurations * len(study.search.folds or study.folds)
        search_epochs = study.search.epochs or epochs
    return Count(search, confirm, search * search_epochs + confirm * epochs)


def written_values(recipe: RecipeSpec, paths: Mapping[str, Domain]) -> dict[str, Any]:
    """The values that a recipe itself gives to the searched paths: configuration 0.

    Raises:
        HarnessError: if a path is not written in the recipe.
    """
    data = recipe.model_dump(mode="json")
    return {path: _value_at(data, path) for path in paths}


def _value_at(data: dict[str, Any], path: str) -> Any:
    node: Any = data
    for part in path.split("."):
        if not isinstance(node, dict) or part not in node:
            known = node if isinstance(node, dict) else ()
            raise HarnessError(
                f"search path '{path}' is not written in the recipe, so configuration 0 would not be the method as "
                f"published. Write '{part}' there. {near_miss(part, known)}"
            )
        node = node[part]
    return node


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
        yield from _search_problems(name, method)
    for perturbation in study.stress.names:
        if "." not in perturbation:
            yield from _unknown("perturbation", perturbation, "stress")


def _unknown(kind: str, name: str, where: str) -> Iterator[str]:
    known = names(kind)
    if name not in known:
        yield f"{where}: no {kind} named '{name}'. {near_miss(name, known)}"


def _search_problems(name: str, method: MethodSpec) -> Iterator[str]:
    for path, domain in method.search.items():
        try:
            value = written_values(method.recipe, {path: domain})[path]
        except HarnessError as error:
            yield f"methods.{name}.search: {error}"
            continue
        if not _inside(value, domain):
            yield f"methods.{name}.search.{path}: the written value {value!r} lies outside the domain"


def _inside(value: Any, domain: Domain) -> bool:
    if domain.choice is not None:
        return value in domain.choice
    low, high = domain.uniform or domain.log_uniform or domain.int_uniform or (0, 0)
    return isinstance(value, int | float) and low <= value <= high
