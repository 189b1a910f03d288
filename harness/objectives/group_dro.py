"""Group DRO: groups with larger losses gain weight as training goes on (Sagawa et al., ICLR 2020)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._groups import GroupBy, group_losses, groups_of, num_groups
from harness.objectives._targets import cross_entropies, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDroOptions:
    """Groups and how fast their weights move.

    Attributes:
        step: size of the exponentiated-gradient step (0.01 in the released code).
        group_by: what clips are grouped by.
        label_smoothing: of each clip's cross-entropy.
    """

    step: float = 0.01
    group_by: GroupBy = "domain"
    label_smoothing: float = 0.0


class GroupDro(nn.Module):
    """Weighted sum of group losses; each training pass first multiplies weights by ``exp(step loss)``.

    With SAM both passes of a step move the weights.

    Attributes:
        weights: of the groups, summing to 1.
    """

    weights: Tensor

    def __init__(self, options: GroupDroOptions, count: int) -> None:
        super().__init__()
        self.options = options
        self.register_buffer("weights", torch.full((count,), 1 / count))

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with the plain mean and the worst group's loss as parts."""
        targets = targets_of(labels, state, logits)
        losses = cross_entropies(logits, targets, self.options.label_smoothing)
        groups = group_losses(losses, groups_of(self.options.group_by, labels, state), len(self.weights))
        if self.training:
            self.weights = torch.softmax(self.weights.log() + self.options.step * groups.losses.detach(), dim=0)
        parts = {"cross_entropy": losses.mean().detach(), "worst_group": groups.losses.max().detach()}
        return LossParts((self.weights * groups.losses).sum(), parts)


def _build(options: GroupDroOptions, data: TrainingData) -> GroupDro:
    return GroupDro(options, num_groups(options.group_by, data))


group_dro = Objective(
    title="Group DRO",
    paper="Sagawa et al. Distributionally Robust Neural Networks for Group Shifts. ICLR 2020, algorithm 1.",
    options=GroupDroOptions,
    build=_build,
    takes_distributions=True,
)
