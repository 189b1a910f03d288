"""A method: network, objective and optimiser, and which of their numbers are searched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from harness.spec.strict import PluginSpec, Strict

Number = int | float


class SamSpec(Strict):
    """Sharpness-aware minimisation around the base optimiser (Foret et al., ICLR 2021) and its relatives.

    ``batch_norm`` says what the second, perturbed pass does to running statistics: ``frozen`` leaves them to the
    first pass (advice of the reference implementation), ``updated`` lets both passes update them (the released HDF).
    """

    name: Literal["sam", "asam", "gsam", "looksam", "friendly_sam"] = "sam"
    rho: float = Field(default=0.05, gt=0)
    batch_norm: Literal["frozen", "updated"] = "frozen"


class OptimizerSpec(Strict):
    """The optimiser that makes the step; ``sam`` wraps it."""

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = Field(default=5e-4, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    sam: SamSpec | None = None


class RecipeSpec(Strict):
    """Everything about a method that changes what is learned; part of a trial's identity.

    ``weights`` is the SHA-256 of the checkpoint that the network starts from, filled in from ``pretrained``.
    """

    model: PluginSpec
    objective: PluginSpec = PluginSpec(name="cross_entropy")
    optimizer: OptimizerSpec = OptimizerSpec()
    weights: str | None = None

    def with_values(self, values: dict[str, Any]) -> RecipeSpec:
        """The recipe with dotted paths (``optimizer.sam.rho``) set to the given values."""
        data = self.model_dump(mode="json")
        for path, value in values.items():
            *parents, leaf = path.split(".")
            node = data
            for parent in parents:
                node = node[parent]
            node[leaf] = value
        return RecipeSpec.model_validate(data)


class Domain(Strict):
    """The values that one searched number may take; exactly one of the four forms is given."""

    uniform: tuple[float, float] | None = None
    log_uniform: tuple[float, float] | None = None
    int_uniform: tuple[int, int] | None = None
    choice: tuple[bool | int | float | str, ...] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Domain:
        given = {name: value for name, value in self if value is not None}
        if len(given) != 1:
            raise ValueError("give exactly one of uniform, log_uniform, int_uniform, choice")
        bounds = self.uniform or self.log_uniform or self.int_uniform
        if bounds and not bounds[0] < bounds[1]:
            raise ValueError(f"the lower bound {bounds[0]} must be below the upper bound {bounds[1]}")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise ValueError("log_uniform needs a lower bound above 0")
        if self.choice is not None and not self.choice:
            raise ValueError("choice needs at least one value")
        return self


class MethodSpec(RecipeSpec):
    """A recipe, the domains of its searched numbers by dotted path (``objective.tau``), and its own budget of epochs.

    ``epochs`` replaces the study's, for arms at equal cost: a step of SAM costs two of AdamW. ``pretrained`` names a
    published checkpoint's file; a trial's identity holds its content, not its path.
    """

    pretrained: str | None = None
    epochs: int | None = Field(default=None, ge=1)
    search: dict[str, Domain] = Field(default_factory=dict)

    @field_validator("search")
    @classmethod
    def _known_roots(cls, search: dict[str, Domain]) -> dict[str, Domain]:
        for path in search:
            if path.split(".")[0] not in {"model", "objective", "optimizer"} or "." not in path:
                raise ValueError(f"'{path}' must start with model., objective. or optimizer.")
        return search

    @model_validator(mode="after")
    def _searched_paths_exist(self) -> MethodSpec:
        for path in self.search:
            if path.startswith("optimizer.sam.") and self.optimizer.sam is None:
                raise ValueError(f"'{path}' is searched, but optimizer.sam is not given")
        return self

    @property
    def recipe(self) -> RecipeSpec:
        """The recipe with its written values, which are always the first configuration tried."""
        return RecipeSpec(model=self.model, objective=self.objective, optimizer=self.optimizer, weights=self.weights)
