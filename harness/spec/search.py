"""The search phase of a study: how configurations are asked, what they are judged by, and when one is given up."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from harness.spec.each_once import each_once
from harness.spec.strict import Strict

Objective = Literal["uar", "war", "validation_robustness", "cost"]
"""What a configuration is judged by. All but the cost are measured on validation clips and are to be large."""

DEFAULT_CONFIGURATIONS = 20
"""As many random configurations as DomainBed gives each algorithm (Gulrajani and Lopez-Paz, ICLR 2021)."""

RACING_FOLDS = 3
"""Racing by default needs so many folds: the rule's regret was measured for 3, 5 and 10."""

WILCOXON_FOLDS = 8
"""The smallest one-sided p-value of n folds is 2^-n, so a rank test gives up a configuration early only with many."""


class RacingSpec(Strict):
    """When a configuration that loses on its first folds is not trained on the rest.

    ``racing: none`` names the rule.
    """

    rule: Literal["auto", "none", "paired", "wilcoxon"] = "auto"
    """``paired`` gives it up if its mean difference to the best complete configuration, on the folds it has been
    trained on, is below ``-margin``; ``wilcoxon`` if a one-sided signed-rank test of these differences has p <
    ``p_value``; ``auto`` is ``paired`` from three folds up and else ``none``."""
    margin: float = Field(default=0.02, ge=0, le=1)
    """Of ``paired``, as a fraction: 0.02 are two points."""
    p_value: float = Field(default=0.1, gt=0, lt=1)
    """Of ``wilcoxon``."""
    folds_per_stage: int = Field(default=1, ge=1)
    """Folds trained before the rule is asked again, in an order shuffled by configuration number."""


class StoppingSpec(Strict):
    """Stopping trainings at early epochs; off by default, because it changes what is measured.

    ``stopping: asha`` names the rule.
    """

    rule: Literal["none", "asha", "median"] = "none"
    """``asha`` lets a configuration go on if it is among the best ``1/factor`` of all that have been at this epoch (Li
    et al., MLSys 2020); ``median`` if it is at least as good as their median (Golovin et al., KDD 2017)."""
    first_epoch: int = Field(default=1, ge=1)
    """Where a configuration's first trainings halt."""
    factor: int = Field(default=3, ge=2)
    """The next halt is at so many times the epoch of the last one."""


class SearchSpec(Strict):
    """The search phase: configurations per method, judged on validation folds with a seed of their own.

    Configuration 0 is the recipe as written; then come a method's ``points``, then what the sampler asks.
    """

    configurations: int | None = Field(default=None, ge=1)
    """Most of each method: by default 20, the whole product with sampler ``grid``, and no cap with a ``budget``."""
    budget: float | None = Field(default=None, gt=0)
    """Most that each method spends, in trainings of ``epochs`` epochs at one pass a step; one with SAM costs two."""
    parallel: int = Field(default=8, ge=1)
    """The search decides as if so many trainings of a method always ran at once, each for exactly as long as it costs,
    and so does not depend on which trial ends first. About twice as many as really run keep every slot busy; the more,
    the fewer results each configuration is asked by."""
    sampler: Literal["tpe", "random", "qmc", "gp", "cmaes", "grid"] = "tpe"
    """What asks configurations; see ``docs/search.md``."""
    metric: Literal["uar", "war"] | None = None
    """What is made largest on validation clips; ``null`` is ``uar``."""
    metrics: tuple[Objective, ...] | None = None
    """Several instead: their Pareto front is reported, and the best of it by the first is confirmed."""
    racing: RacingSpec = RacingSpec()
    """Giving up configurations after their first folds."""
    stopping: StoppingSpec = StoppingSpec()
    """Halting trainings at early epochs."""
    seed: int = 1000
    """Of the search's trainings and sampler; none of the study's ``seeds``."""
    epochs: int | None = Field(default=None, ge=1)
    """Of the search's trainings; ``null`` trains as long as the method is."""
    folds: tuple[int, ...] | None = Field(default=None, min_length=1)
    """Folds whose validation clips judge; ``null`` for the study's."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What configurations are judged by; the first one chooses."""
        return self.metrics or (self.metric or "uar",)

    @model_validator(mode="before")
    @classmethod
    def _rules_by_name(cls, data: object) -> object:
        """``racing: none`` means ``racing: {rule: none}``."""
        if not isinstance(data, dict):
            return data
        named = {name: {"rule": data[name]} for name in ("racing", "stopping") if isinstance(data.get(name), str)}
        if data.get("metric") and data.get("metrics"):
            raise ValueError("give metric or metrics, not both; the first of metrics chooses")
        return {**data, **named}

    @field_validator("folds")
    @classmethod
    def _no_repeats(cls, folds: tuple[int, ...] | None) -> tuple[int, ...] | None:
        return folds and each_once(folds)

    @model_validator(mode="after")
    def _several_metrics(self) -> SearchSpec:
        metrics = self.metrics
        if metrics is None:
            return self
        if not metrics or len(set(metrics)) != len(metrics) or metrics[0] == "cost":
            raise ValueError(f"metrics must be different, and the first must not be cost, not {list(metrics)}")
        if len(metrics) == 1:
            return self
        if self.sampler == "cmaes":
            raise ValueError("sampler cmaes searches for one metric; use tpe, gp, qmc, random or grid for several")
        if self.racing.rule in {"paired", "wilcoxon"} or self.stopping.rule != "none":
            raise ValueError("racing and stopping compare one number; with several metrics leave them out")
        return self

    @model_validator(mode="after")
    def _stopping_reads_epochs(self) -> SearchSpec:
        if self.stopping.rule != "none" and self.objectives[0] not in {"uar", "war"}:
            raise ValueError(f"stopping reads each epoch's uar or war, which do not tell {self.objectives[0]}")
        return self

    def racing_rule(self, num_folds: int) -> Literal["none", "paired", "wilcoxon"]:
        """The rule that is used with so many folds."""
        if self.racing.rule != "auto":
            return self.racing.rule
        return "paired" if num_folds >= RACING_FOLDS and len(self.objectives) == 1 else "none"
