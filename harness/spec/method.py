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
    """Everything about a method that changes what is learned; part of a trial's identity.

    ``weights`` is the SHA-256 of the checkpoint that the network starts from, filled in from ``pretrained``; ``code``
    tells the source of a network or objective of another package, and is filled in likewise.
    """

    model: PluginSpec
    objective: PluginSpec = PluginSpec(name="cross_entropy")
    optimizer: OptimizerSpec = OptimizerSpec()
    weights: str | None = None
    code: str | None = None

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
    """A recipe, the domains of its searched numbers by dotted path (``objective.tau``), and its own budget of epochs.

    ``epochs`` replaces the study's, for arms at equal cost: a step of SAM costs two of AdamW. ``pretrained`` names a
    published checkpoint's file; a trial's identity holds its content, not its path. ``space`` names ready domains (see
    ``dferbench list spaces``) that ``search`` adds to, changes, or takes away with ``null``; ``points`` are
    configurations to try right after the written one, each a mapping of searched paths to values. ``resources``
    replaces the study's.
    """

    pretrained: str | None = None
    epochs: int | None = Field(default=None, ge=1)
    resources: ResourcesSpec | None = None
    space: str | tuple[str, ...] | None = None
    search: dict[str, Domain] = Field(default_factory=dict)
    points: tuple[dict[str, Value], ...] = ()

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
