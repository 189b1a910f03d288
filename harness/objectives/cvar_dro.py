"""Conditional value at risk: the mean loss of the worst share of the batch (Levy et al., NeurIPS 2020)."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from harness.objectives._contract import LossParts, Objective, TrainingData
from harness.objectives._worst_case import WorstCase


@dataclass(frozen=True, slots=True, kw_only=True)
class CvarDroOptions:
    """How much of the batch counts.

    Attributes:
        alpha: share of the batch, above 0 and at most 1; 1 is the mean. A share below one clip is the worst clip alone,
            so that small shares want large batches.
        label_smoothing: of each clip's cross-entropy.
    """

    alpha: float = 0.3
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha must be above 0 and at most 1, but is {self.alpha}")


def conditional_value_at_risk(losses: Float[Tensor, " b"], alpha: float) -> Float[Tensor, ""]:
    """Mean of the worst ``alpha b`` losses, the last one counted by its fraction.

    It is the largest mean over reweightings in which no clip counts more than ``1 / (alpha b)``.
    """
    share = max(alpha * len(losses), 1.0)
    ordered = losses.sort(descending=True).values[: math.ceil(share)]
    counts = torch.ones_like(ordered)
    counts[-1:].fill_(share - (len(ordered) - 1))
    return (counts * ordered).sum() / share


def worst_mean(losses: Float[Tensor, " b"], alpha: float) -> LossParts:
    """The conditional value at risk, without parts of its own."""
    return LossParts(conditional_value_at_risk(losses, alpha), {})


def _build(options: CvarDroOptions, data: TrainingData) -> WorstCase:
    return WorstCase(partial(worst_mean, alpha=options.alpha), options.label_smoothing)


cvar_dro = Objective(
    title="CVaR-DRO",
    paper="Levy et al. Large-Scale Methods for Distributionally Robust Optimization. NeurIPS 2020, CVaR.",
    options=CvarDroOptions,
    build=_build,
    takes_distributions=True,
)
