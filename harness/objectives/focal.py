"""Focal loss for many classes: cross-entropy that fades for clips already told apart (Lin et al., ICCV 2017)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FocalOptions:
    """How fast it fades.

    Attributes:
        gamma: exponent of the doubt (1 - p); 0 is cross-entropy, 2 is the paper's choice.
    """

    gamma: float = 2.0

    def __post_init__(self) -> None:
        if self.gamma < 0:
            raise ValueError(f"gamma must not be negative, but is {self.gamma}")


class Focal(nn.Module):
    """Mean of ``(1 - p_y)^gamma (-log p_y)``, the softmax form of the paper's equation 4."""

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with plain cross-entropy as a part."""
        log_chances = torch.log_softmax(logits, dim=1)
        targets = targets_of(labels, state, logits)
        doubt = torch.expm1(log_chances).neg().clamp(min=torch.finfo(logits.dtype).tiny)
        loss = -(targets * doubt**self.gamma * log_chances).sum(dim=1).mean()
        return LossParts(loss, {"cross_entropy": -(targets * log_chances).sum(dim=1).mean().detach()})


def _build(options: FocalOptions, data: TrainingData) -> Focal:
    return Focal(options.gamma)


focal = Objective(
    title="Focal loss",
    paper="Lin et al. Focal Loss for Dense Object Detection. ICCV 2017, equation 4.",
    options=FocalOptions,
    build=_build,
    takes_distributions=True,
)
