"""Conditional value at risk: the mean loss of the worst share of the batch (Levy et al., NeurIPS 2020)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import cross_entropies, targets_of


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


class CvarDro(nn.Module):
    """The largest mean loss over reweightings in which no clip counts more than 1 / (alpha b)."""

    def __init__(self, options: CvarDroOptions) -> None:
        super().__init__()
        self.options = options

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with the plain mean as a part."""
        losses = cross_entropies(logits, targets_of(labels, state, logits), self.options.label_smoothing)
        loss = conditional_value_at_risk(losses, self.options.alpha)
        return LossParts(loss, {"cross_entropy": losses.mean().detach()})


def conditional_value_at_risk(losses: Float[Tensor, " b"], alpha: float) -> Float[Tensor, ""]:
    """Mean of the worst ``alpha b`` losses, the last one counted by its fraction."""
    share = max(alpha * len(losses), 1.0)
    ordered = losses.sort(descending=True).values[: math.ceil(share)]
    counts = torch.ones_like(ordered)
    counts[-1] = share - (len(ordered) - 1)
    return (counts * ordered).sum() / share


def _build(options: CvarDroOptions, data: TrainingData) -> CvarDro:
    return CvarDro(options)


cvar_dro = Objective(
    title="CVaR-DRO",
    paper="Levy et al. Large-Scale Methods for Distributionally Robust Optimization. NeurIPS 2020, CVaR.",
    options=CvarDroOptions,
    build=_build,
    takes_distributions=True,
)
