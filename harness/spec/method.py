"""A method: network, objective and optimiser, and which of their numbers are searched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from harness.spec.domain import Domain, Value
from harness.spec.ready_spaces import expanded
from harness.spec.resources import ResourcesSpec
from harness.spec.strict import PluginSpec, Strict


class SamSpec(Strict):
    """Sharpness-aware minimisation around the base optimiser (Foret et al., ICLR 2021) and its relatives.

    ``sam: asam`` means ``sam: {name: asam}``.
    """

    name: Literal["sam", "asam", "gsam", "looksam", "friendly_sam"] = "sam"
    """Which of them."""
    rho: float = Field(default=0.05, gt=0)
    """How far a step climbs before it descends."""
    batch_norm: Literal["frozen", "updated"] = "frozen"
    """What the second, perturbed pass does to running statistics: ``frozen`` leaves them to the first pass (advice of
    the reference implementation), ``updated`` lets both passes update them (the released HDF)."""


class OptimizerSpec(Strict):
    """The optimiser that makes the step; ``sam`` wraps it."""

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    """Which optimiser."""
    learning_rate: float = Field(default=5e-4, gt=0)
    """The largest learning rate, after the warm-up."""
    weight_decay: float = Field(default=0.05, ge=0)
    """Decoupled with ``adamw``, an L2 penalty with ``adam`` and ``sgd``."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Of ``sgd``; the others do not read it."""
    sam: SamSpec | None = None
    """A sharpness-aware step around the optimiser; ``null`` for none."""

    @field_validator("sam", mode="before")
    @classmethod
    def _sam_by_name(cls, sam: Any) -> Any:
        """``sam: asam`` means ``sam: {name: asam}``."""
        return {"name": sam} if isinstance(sam, str) else sam

    @property
    def passes_per_step(self) -> float:
        """Forward and backward passes of one step: two for a SAM, 1.1 for LookSAM, which climbs every tenth step."""
        if self.sam is None:
            return 1.0
        return 1.1 if self.sam.name == "looksam" else 2.0


class RecipeSpec(Strict):
    """Everything about a method that changes what is learned; part of a trial's identity."""

    model: PluginSpec
    """The network and its own options (``docs/models.md``)."""
    objective: PluginSpec = PluginSpec(name="cross_entropy")
    """The loss and its own options."""
    optimizer: OptimizerSpec = OptimizerSpec()
    """What makes the step."""
    weights: str | None = None
    """SHA-256 of the checkpoint that the network starts from; filled in from ``pretrained``."""
    code: str | None = None
    """Tells the source of a network or objective that dferbench was not released with; filled in."""

    def with_values(self, values: dict[str, Any]) -> RecipeSpec:
        """The recipe with dotted paths (``optimizer.sam.rho``) set to the given values.

        A name that takes the place of a mapping keeps its other keys: ``optimizer.sam`` set to ``asam`` keeps rho.
        """
        data = self.model_dump(mode="json")
        for path, value in sorted(values.items(), key=lambda item: item[0].count(".")):
            *parents, leaf = path.split(".")
            node = data
            for parent in parents:
                if isinstance(node[parent], str):
                    node[parent] = {"name": node[parent]}
                node = node[parent]
            named = isinstance(value, str) and isinstance(node.get(leaf), dict)
            node[leaf] = {**node[leaf], "name": value} if named else value
        return RecipeSpec.model_validate(data)

    def value_at(self, path: str) -> Any:
        """What is written at a dotted path; the name of what is written, for a mapping with a name.

        Raises:
            KeyError: if nothing is written there; its argument is the part that is missing, then what is there instead.
        """
        node: Any = self.model_dump(mode="json")
        for part in path.split("."):
            if not isinstance(node, dict) or part not in node:
                raise KeyError(part, tuple(node) if isinstance(node, dict) else ())
            node = node[part]
        return node["name"] if isinstance(node, dict) and "name" in node else node


class MethodSpec(RecipeSpec):
    """A recipe, which of its numbers are searched, and its own budget of epochs."""

    pretrained: str | None = None
    """A published checkpoint's file; a trial's identity holds its content, not its path."""
    epochs: int | None = Field(default=None, ge=1)
    """Replaces ``training.epochs``, for arms at equal cost: a step of SAM costs two of AdamW."""
    resources: ResourcesSpec | None = None
    """Replaces the study's."""
    space: str | tuple[str, ...] | None = None
    """Ready domains (``dferbench list spaces``) that ``search`` adds to, changes, or takes away with ``null``."""
    search: dict[str, Domain] = Field(default_factory=dict)
    """Domains of searched numbers by dotted path, such as ``objective.tau``."""
    points: tuple[dict[str, Value], ...] = ()
    """Configurations to try right after the written one, each a mapping of searched paths to values."""

    @model_validator(mode="before")
    @classmethod
    def _space_by_name(cls, data: Any) -> Any:
        """A named space is written out as domains, so that the study that is kept says what was searched."""
        return expanded(data) if isinstance(data, dict) and data.get("space") is not None else data

    @field_validator("search")
    @classmethod
    def _known_roots(cls, search: dict[str, Domain]) -> dict[str, Domain]:
        for path in search:
            if path.split(".")[0] not in {"model", "objective", "optimizer"} or "." not in path:
                raise ValueError(f"'{path}' must start with model., objective. or optimizer.")
        return search

    @property
    def recipe(self) -> RecipeSpec:
        """The recipe with its written values, which are always the first configuration tried."""
        return RecipeSpec(**{name: getattr(self, name) for name in RecipeSpec.model_fields})
