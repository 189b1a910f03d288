"""Which configurations a method's search tries: one Optuna study per method, durable before anything is trained.

Every asked configuration is in Optuna's journal before its first training starts, and its sampler is seeded by the
search's seed and the configuration's number, so that a search that is killed and started again asks the same things.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from harness.plan import search_of, written_values
from harness.seeds import derive, digest
from harness.spec.method import Domain
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, n_startup_trials=4, multivariate=True, constant_liar=True),
    "random": lambda seed: RandomSampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed, n_startup_trials=4, deterministic_objective=False),
}


class Asker:
    """Asks and tells one method's configurations by number."""

    def __init__(self, study: StudySpec, dataset: DataRef, method: str, journal: Path) -> None:
        spec = study.methods[method]
        self._search, self._method = search_of(study), method
        self._domains = {path: distribution(domain) for path, domain in spec.search.items()}
        self._defaults = written_values(spec.recipe, spec.search)
        identity = [
            spec.model_dump(mode="json"),
            self._search.model_dump(mode="json", exclude={"configurations"}),
            dataset.fingerprint,
            study.training.model_dump(mode="json"),
            study.clip.model_dump(mode="json"),
        ]
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study = optuna.create_study(
                study_name=f"{method}-{digest(identity, 8)}",
                storage=JournalStorage(JournalFileBackend(str(journal))),
                direction="maximize",
                load_if_exists=True,
            )

    def ask(self, number: int) -> dict[str, Any]:
        """The values of configuration ``number``; asked before, they are read from the journal.

        Numbers must be asked in order. Configuration 0 is the recipe as written.
        """
        trials = self._study.get_trials(deepcopy=False)
        if number < len(trials):
            return dict(trials[number].params or trials[number].system_attrs.get("fixed_params", {}))
        if number != len(trials):
            raise ValueError(f"configuration {number} of {self._method} was asked before {len(trials)}")
        self._study.sampler = self._sampler(number)
        if number == 0:
            self._study.enqueue_trial(self._defaults)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return dict(self._study.ask(self._domains).params)

    def tell(self, number: int, score: float | None) -> None:
        """Record a configuration's mean validation score; ``None`` for one that failed or diverged."""
        if self._study.get_trials(deepcopy=False)[number].state.is_finished():
            return
        if score is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, score)

    def _sampler(self, number: int) -> BaseSampler:
        seed = derive(self._search.seed, self._method, number) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if self._search.sampler == "qmc":
                whole = derive(self._search.seed, self._method) % 2**32
                return QMCSampler(qmc_type="sobol", scramble=True, seed=whole, warn_independent_sampling=False)
            return SAMPLERS[self._search.sampler](seed)


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
