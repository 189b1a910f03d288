"""A trial: one training on one fold with one seed, named by the hash of everything that changes its result."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, get_args

from pydantic import Field, model_validator

from harness.seeds import digest
from harness.spec.method import RecipeSpec
from harness.spec.strict import PluginSpec, Strict

SCHEMA = 1
"""Part of every trial's identity: raised when the meaning of a trial changes."""

ADDED: dict[str, tuple[str, ...]] = {"training": ("soft_labels",), "recipe": ("code",)}
"""Fields that this schema gained later, by part: in a trial's identity only where they are not at their defaults, so
that a new option renames no trial that does not use it."""

CLEAN = "clean"
"""The name of the condition in which nothing is perturbed."""


AugmentPart = Literal["flip", "crop", "color_jitter"]
Precision = Literal["float32", "tf32", "bfloat16"]
PublishedRecipe = Literal["m3dfel", "former_dfer", "ial", "dfer_clip_dfew", "dfer_clip_ferv39k"]


class ClipSpec(Strict):
    """How a video becomes a network's input."""

    frames: int = Field(default=16, ge=2)
    """Frames that a network sees of a clip."""
    size: int = Field(default=112, ge=16)
    """Side length of the frames in pixels; other shapes are stretched."""
    max_stored_frames: int = Field(default=96, ge=2)
    """Longer clips are packed as so many evenly spaced frames."""
    train_sampler: str = "segment_random"
    """Rule by which a training picks frames (table in ``docs/data.md``)."""
    test_sampler: str = "segment_center"
    """Rule by which validation and test pick them."""
    augment: tuple[Literal[AugmentPart, PublishedRecipe], ...] = ("flip", "crop")
    """Parts to put together, or one published recipe, of training clips only."""

    @model_validator(mode="after")
    def _a_published_recipe_stands_alone(self) -> ClipSpec:
        published = [name for name in self.augment if name in get_args(PublishedRecipe)]
        if published and len(self.augment) > 1:
            raise ValueError(
                f"augment: '{published[0]}' is a whole recipe, so it stands alone; the parts to put together are "
                f"{', '.join(get_args(AugmentPart))}"
            )
        return self


class ValidationSpec(Strict):
    """The validation split carved out of each training fold, stratified by class and grouped."""

    fraction: float = Field(default=0.2, gt=0, lt=0.5)
    """Share of each class's training clips."""


class MixSpec(Strict):
    """Mixtures of training clips and of their labels, drawn per batch with shares from Beta(alpha, alpha)."""

    name: Literal["mixup", "cutmix", "videomix"]
    """Whole clips weighted, one box in all frames, or a box in space and time."""
    alpha: float = Field(default=1.0, gt=0)
    """Of the Beta distribution; small values mix little."""


class TrainingSpec(Strict):
    """How long and how every recipe is trained."""

    epochs: int = Field(default=100, ge=1)
    """Passes over the training clips, of methods that give no number of their own."""
    batch_size: int = Field(default=32, ge=1)
    """Clips of one step."""
    warmup_epochs: float = Field(default=5.0, ge=0)
    """Epochs in which the learning rate rises from near 0, at most half of all; afterwards it falls along a cosine."""
    final_learning_rate: float = Field(default=0.01, ge=0, le=1)
    """Where it ends, as a share of ``optimizer.learning_rate``."""
    precision: Precision = "float32"
    """What the training's forward passes compute in: ``tf32`` lets a GPU's convolutions round their inputs to 10 bits,
    as PyTorch does unless it is told otherwise; ``bfloat16`` is automatic mixed precision. Evaluation and the loss are
    in float32."""
    clip_gradient: float | None = Field(default=None, gt=0)
    """Largest allowed global gradient norm; ``null`` for none."""
    mix: MixSpec | None = None
    """Mixtures of training clips; ``null`` for none."""
    soft_labels: bool = False
    """Trains on the annotators' votes as class probabilities; validation and test go by the label."""
    select_on: Literal["uar", "war", "last"] = "uar"
    """The validation metric whose best epoch is kept and tested; ``last`` keeps the last epoch."""


class DataRef(Strict):
    """A data set as a trial sees it: by name and content, never by where it lies."""

    name: str
    fingerprint: str


class TrialSpec(Strict):
    """One training. Paths, hosts, devices and the study's name are not part of it."""

    dataset: DataRef
    fold: int
    seed: int
    clip: ClipSpec
    validation: ValidationSpec
    training: TrainingSpec
    recipe: RecipeSpec

    @cached_property
    def trial_id(self) -> str:
        """Sixteen hexadecimal digits: the hash of the trial's canonical JSON."""
        content = self.model_dump(mode="json")
        for part, names in ADDED.items():
            fields = type(getattr(self, part)).model_fields
            for name in names:
                if content[part][name] == fields[name].default:
                    del content[part][name]
        return digest({"schema": SCHEMA, **content})


class Condition(Strict):
    """A perturbation at a severity; severity 0 is the clean clip."""

    perturbation: str
    severity: float = Field(ge=0, le=5)

    @property
    def label(self) -> str:
        """For example ``frame_drop-3``; ``clean`` for the clean clip."""
        return CLEAN if self.perturbation == CLEAN else f"{self.perturbation}-{self.severity:g}"


CLEAN_CONDITION = Condition(perturbation=CLEAN, severity=0)


class DatasetSpec(PluginSpec):
    """A data set plugin, where it lies, and its own options (``docs/data.md``)."""

    root: str | None = None
    """The folder that it lies in, absolute or from where dferbench is started; a run keeps it absolute in its own copy
    of the study. ``synthetic`` draws itself."""
    on_bad_clip: Literal["error", "drop"] = "error"
    """What becomes of listed clips that are missing, empty or Git LFS pointers: ``drop`` leaves them out and lists
    them."""
