"""What an objective file exports, and what a training step tells it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainState:
    """What an objective may know beyond its batch.

    Attributes:
        progress: share of training done, 0 to 1.
        gradient_norm: L2 norm of the loss's gradient in SAM's first pass of this step (in the first pass itself, and
            without SAM: of the step before); ``None`` before the first one.
        groups: index of each clip's domain among the training domains.
        auxiliary: scores of the network's auxiliary classifier, if it has one; filled in by the training step.
        label_distributions: per-clip class probabilities where labels are soft (votes, mixup), else ``None``.
    """

    progress: float = 0.0
    gradient_norm: Float[Tensor, ""] | None = None
    groups: Int[Tensor, " b"] | None = None
    auxiliary: Float[Tensor, "b k"] | None = None
    label_distributions: Float[Tensor, "b k"] | None = None


class TrainingData(NamedTuple):
    """What an objective may know of the training split when it is built."""

    class_counts: tuple[int, ...]
    num_groups: int
    num_features: int


class LossParts(NamedTuple):
    """The loss to minimise, and named detached parts of it for the epochs table."""

    loss: Float[Tensor, ""]
    parts: dict[str, Float[Tensor, ""]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """An objective as a plugin: ``harness/objectives/focal.py`` exports ``focal = Objective(...)``.

    ``build(options, data)`` returns a module; its ``forward(logits, features, labels, state)`` takes
    ``Float[Tensor, "b k"]``, ``Float[Tensor, "b d"]``, ``Int[Tensor, "b"]``, ``TrainState`` and returns ``LossParts``.
    Parameters of the module, if any, are trained with the network's.

    Attributes:
        title: the name people know it by.
        paper: authors, title, venue, year, equation.
        options: a frozen dataclass; its fields are the options that a study may set.
        build: from options and training data to the loss module.
        takes_distributions: whether the loss goes by ``TrainState.label_distributions`` where they are given; without
            it a study with ``training.soft_labels`` or ``training.mix`` is refused.
    """

    title: str
    paper: str
    options: type
    build: Callable[[Any, TrainingData], nn.Module]
    takes_distributions: bool = False
