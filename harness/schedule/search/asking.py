"""Which configurations a method's search tries: one Optuna study per method, durable before anything is trained.

Every configuration is drawn in memory and then written to Optuna's journal in one line, before its first training
starts; its sampler is seeded by the search's seed and the configuration's number. So a search that is killed and
started again asks the same things.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from harness.plan import search_folds, search_of
from harness.schedule.search.asking_evenly import sobol
from harness.schedule.search.configuration import Told
from harness.seeds import derive, digest
from harness.spec.domain import Domain
from harness.spec.space import first_configurations, is_active, ordered
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef

STARTUP = 4
"""Configurations before a model is fitted to their scores."""


class Asker:
    """Asks and tells one method's configurations by number."""

    def __init__(self, study: StudySpec, dataset: DataRef, method: str, journal: JournalStorage) -> None:
        self._spec, self._search, self._method = study.methods[method], search_of(study), method
        self._domains = {path: distribution(domain) for path, domain in self._spec.search.items()}
        self._first = first_configurations(self._spec, with_grid=self._search.sampler == "grid")
        identity = [
            self._spec.model_dump(mode="json", exclude={"resources"}),
            self._search.model_dump(mode="json", exclude={"configurations", "budget"}),
            dataset.fingerprint,
            study.training.model_dump(mode="json"),
            study.clip.model_dump(mode="json"),
            study.validation.model_dump(mode="json"),
            list(search_folds(study)),
        ]
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        objectives = self._search.objectives
        directions = ["minimize" if name == "cost" else "maximize" for name in objectives]
        with _quietly():
            name = f"{method}-{digest(identity, 8)}"
            self._kept = optuna.create_study(
                study_name=name, storage=journal, directions=directions, load_if_exists=True
            )
            self._drawn = optuna.create_study(directions=directions)
            if len(objectives) > 1 and self._kept.metric_names is None:
                self._kept.set_metric_names(list(objectives))
            self._drawn.add_trials(self._kept.get_trials(deepcopy=False))
        self._numbers = len(self._drawn.get_trials(deepcopy=False))

    def ask(self, number: int) -> dict[str, Any]:
        """The values of configuration ``number``; asked before, they are read from the journal.

        Numbers must be asked in order. Configuration 0 is the recipe as written, then come the user's points.
        """
        if number < self._numbers:
            return self._values(number)
        if number != self._numbers:
            raise ValueError(f"configuration {number} of {self._method} was asked before {self._numbers}")
        with _quietly():
            drawn = self._draw(number)
            origin = "as written" if number == 0 else "point" if number <= len(self._spec.points) else "sampled"
            self._kept.add_trial(
                create_trial(
                    state=TrialState.RUNNING,
                    params=drawn.params,
                    distributions=drawn.distributions,
                    system_attrs=drawn.system_attrs,
                    user_attrs={"origin": origin},
                )
            )
        self._numbers += 1
        return self._values(number)

    def tell(self, number: int, told: Told) -> None:
        """Record what became of a configuration.

        One that failed is FAIL. One that was raced out is COMPLETE with its estimate, so that every sampler learns from
        it, and marked. One that was stopped at an early epoch is PRUNED with its scores on the way and no value.
        """
        if self._kept.get_trials(deepcopy=False)[number].state.is_finished():
            return
        for study in (self._drawn, self._kept):
            trial = Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)
            trial.set_user_attr("status", told.status)
            for epoch, score in told.halts.items():
                trial.report(score, epoch)
            study.sampler = RandomSampler(seed=0)
            if told.status == "failed":
                study.tell(number, state=TrialState.FAIL)
            elif told.values is None:
                study.tell(number, state=TrialState.PRUNED)
            else:
                study.tell(number, list(told.values))

    def _draw(self, number: int) -> FrozenTrial:
        """Draw a configuration in memory."""
        fixed = self._fixed(number)
        self._drawn.sampler = self._sampler(number)
        if fixed is not None:
            self._drawn.enqueue_trial(fixed)
        trial = self._drawn.ask()
        values: dict[str, Any] = {}
        for path in ordered(self._spec.search):
            if is_active(self._spec.recipe, self._spec.search, path, values):
                values[path] = _suggest(trial, path, self._domains[path])
        return self._drawn.get_trials(deepcopy=False)[number]

    def _fixed(self, number: int) -> dict[str, Any] | None:
        """Values that no sampler is asked for."""
        if number < len(self._first):
            return self._first[number]
        if self._search.sampler == "qmc":
            seed = derive(self._search.seed, self._method) % 2**32
            return sobol(self._spec, number - len(self._first), seed)
        return None

    def _values(self, number: int) -> dict[str, Any]:
        """As the user wrote them, where he did: Optuna makes 1.0 of a 1, which would be another trial's name."""
        if number < len(self._first):
            return self._first[number]
        params = self._drawn.get_trials(deepcopy=False)[number].params
        return {path: params[path] for path in self._spec.search if path in params}

    def _sampler(self, number: int) -> BaseSampler:
        seed = derive(self._search.seed, self._method, number) % 2**32
        conditional = any(domain.when for domain in self._spec.search.values())
        samplers: dict[str, Callable[[], BaseSampler]] = {
            "tpe": lambda: TPESampler(
                seed=seed, n_startup_trials=STARTUP, multivariate=True, group=conditional, constant_liar=True
            ),
            "gp": lambda: GPSampler(seed=seed, n_startup_trials=STARTUP, deterministic_objective=False),
            "cmaes": lambda: self._cmaes(seed),
        }
        return samplers.get(self._search.sampler, lambda: RandomSampler(seed=seed))()

    def _cmaes(self, seed: int) -> BaseSampler:
        """Choices and conditional numbers, which it cannot model, are random."""
        return CmaEsSampler(
            seed=seed,
            n_startup_trials=1,
            consider_pruned_trials=self._search.stopping.rule != "none",
            warn_independent_sampling=False,
        )


def open_journal(path: Path) -> JournalStorage:
    """The journal of a study's searches; the caller holds the study's lock, so it is the only writer.

    A line that a killed writer left unfinished is cut off, and its file lock, which nobody holds any more, removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    with _quietly():
        return JournalStorage(JournalFileBackend(str(path)))


def distribution(domain: Domain) -> BaseDistribution:
    """A study's domain as Optuna's distribution."""
    if domain.choice is not None:
        return CategoricalDistribution(domain.choice)
    if domain.int_uniform is not None:
        return IntDistribution(*domain.int_uniform)
    if domain.log_uniform is not None:
        return FloatDistribution(*domain.log_uniform, log=True)
    assert domain.uniform is not None  # noqa: S101 - Domain admits exactly one form
    return FloatDistribution(*domain.uniform)


def _suggest(trial: Trial, path: str, wanted: BaseDistribution) -> Any:
    if isinstance(wanted, CategoricalDistribution):
        return trial.suggest_categorical(path, wanted.choices)
    if isinstance(wanted, IntDistribution):
        return trial.suggest_int(path, wanted.low, wanted.high)
    assert isinstance(wanted, FloatDistribution)  # noqa: S101 - the three that `distribution` makes
    return trial.suggest_float(path, wanted.low, wanted.high, log=wanted.log)


def _quietly() -> warnings.catch_warnings[None]:
    """Optuna calls the parts that are used here experimental."""
    return warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning)
