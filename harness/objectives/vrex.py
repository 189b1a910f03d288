"""V-REx: the mean of group losses and a penalty on their variance (Krueger et al., ICML 2021)."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._groups import GroupBy, group_losses, groups_of, num_groups
from harness.objectives._targets import cross_entropies, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class VrexOptions:
    """Groups and the penalty; the defaults are DomainBed's.

    Attributes:
        penalty: factor on the variance once the penalty has grown.
        penalty_from: share of training after which it has (500 of 5001 steps in DomainBed); before, the factor is 1.
        group_by: what clips are grouped by.
        label_smoothing: of each clip's cross-entropy.
    """

    penalty: float = 10.0
    penalty_from: float = 0.1
    group_by: GroupBy = "domain"
    label_smoothing: float = 0.0


class Vrex(nn.Module):
    """Mean and penalised variance over the groups in the batch; the optimiser is not reset when the penalty grows."""

    def __init__(self, options: VrexOptions, count: int) -> None:
        super().__init__()
        self.options = options
        self.count = count

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss; parts are the mean over groups and the variance."""
        targets = targets_of(labels, state, logits)
        losses = cross_entropies(logits, targets, self.options.label_smoothing)
        groups = group_losses(losses, groups_of(self.options.group_by, labels, state), self.count)
        # sums over all groups, where absent ones add nothing: the device need not say how many there are
        shares = groups.present / groups.present.sum()
        mean = (shares * groups.losses).sum()
        variance = (shares * (groups.losses - mean).square()).sum()
        factor = self.options.penalty if state.progress >= self.options.penalty_from else 1.0
        parts = {"group_mean": mean.detach(), "group_variance": variance.detach()}
        return LossParts(mean + factor * variance, parts)


def _build(options: VrexOptions, data: TrainingData) -> Vrex:
    return Vrex(options, num_groups(options.group_by, data))


vrex = Objective(
    title="V-REx",
    paper="Krueger et al. Out-of-Distribution Generalization via Risk Extrapolation. ICML 2021, V-REx.",
    options=VrexOptions,
    build=_build,
    takes_distributions=True,
)
