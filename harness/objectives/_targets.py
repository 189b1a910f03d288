"""Targets of a batch as class probabilities, and losses per clip from them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from harness.objectives._contract import TrainState


def targets_of(labels: Int[Tensor, " b"], state: TrainState, logits: Float[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    """The state's label distributions where it has them, else the labels as one-hot rows."""
    if state.label_distributions is not None:
        return state.label_distributions.to(logits)
    return functional.one_hot(labels, logits.shape[1]).to(logits)


def cross_entropies(
    logits: Float[Tensor, "b k"], targets: Float[Tensor, "b k"], label_smoothing: float = 0.0
) -> Float[Tensor, " b"]:
    """Cross-entropy of each clip."""
    return functional.cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)


def mean_cross_entropy(
    logits: Float[Tensor, "b k"], labels: Int[Tensor, " b"], state: TrainState, label_smoothing: float
) -> Float[Tensor, ""]:
    """Mean cross-entropy of a batch; the state's label distributions take the place of labels where it has them."""
    targets = labels if state.label_distributions is None else state.label_distributions
    return functional.cross_entropy(logits, targets, label_smoothing=label_smoothing)


def class_balanced_weights(class_counts: tuple[int, ...], beta: float) -> Float[Tensor, " k"]:
    """Inverse effective numbers of clips, ``(1 - beta) / (1 - beta^n)``, scaled to sum to the number of classes.

    Classes without a training clip have the weight zero. Source: Cui et al., Class-Balanced Loss Based on Effective
    Number of Samples, CVPR 2019, section 4.

    Raises:
        ValueError: for a beta outside [0, 1).
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must be at least 0 and below 1, not {beta}")
    counts = torch.tensor(class_counts, dtype=torch.float64)
    weights = torch.where(counts > 0, (1 - beta) / (1 - beta ** counts.clamp(min=1)), 0.0)
    return (weights * len(class_counts) / weights.sum()).float()


def log_priors(class_counts: tuple[int, ...]) -> Float[Tensor, " k"]:
    """Logarithms of the classes' shares of the training clips; a class without any counts as half a clip."""
    counts = torch.tensor(class_counts, dtype=torch.float64).clamp(min=0.5)
    return (counts / counts.sum()).log().float()
