"""Pieces that contrastive objectives share: pairs of a batch, and means over anchors that have a positive."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


class Pairs(NamedTuple):
    """A batch as pairs of its clips.

    Attributes:
        cosine: similarity of every two clips' features, -1 to 1.
        positive: whether two different clips share a label.
        different: whether two clips are not the same one.
    """

    cosine: Float[Tensor, "b b"]
    positive: Bool[Tensor, "b b"]
    different: Bool[Tensor, "b b"]


def pairs_of(features: Float[Tensor, "b d"], labels: Int[Tensor, " b"]) -> Pairs:
    """Cosine similarities and pair masks."""
    unit = unit_length(features)
    different = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return Pairs(unit @ unit.T, (labels[:, None] == labels[None, :]) & different, different)


def unit_length(features: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """Features divided by their L2 norm; features of no length stay zero."""
    return functional.normalize(features, dim=1)


def log_sum_over(scores: Float[Tensor, "b b"], kept: Bool[Tensor, "b b"]) -> Float[Tensor, " b"]:
    """Per row, the logarithm of the sum of exponentials of the kept entries; zero for a row that keeps none.

    Rows without entries are filled before the logarithm, so that neither value nor gradient is undefined.
    """
    empty = ~kept.any(dim=1, keepdim=True)
    filled = scores.masked_fill(~kept, -torch.inf).masked_fill(empty, 0.0)
    return torch.logsumexp(filled, dim=1).masked_fill(empty[:, 0], 0.0)


def mean_over_anchors(log_probability: Float[Tensor, "b b"], positive: Bool[Tensor, "b b"]) -> Float[Tensor, ""]:
    """Minus the mean over anchors of the mean over their positives; anchors without positives are left out.

    Zero, with a zero gradient, for a batch in which no anchor has one.
    """
    counts = positive.sum(dim=1)
    per_anchor = (log_probability * positive).sum(dim=1) / counts.clamp(min=1)
    return -per_anchor.sum() / (counts > 0).sum().clamp(min=1)
