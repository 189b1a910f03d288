"""The intensity-aware loss: cross-entropy, and again between the target and its strongest rival alone."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import cross_entropies, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class IalOptions:
    """Weights of the terms; the defaults are the released code's (a comment in it says 0.5 for the first).

    Attributes:
        intensity_weight: of the loss against the strongest rival.
        auxiliary_weight: of the auxiliary classifier's cross-entropy, where the network has one (``gca_ial``).
        label_smoothing: of the cross-entropy.
    """

    intensity_weight: float = 0.1
    auxiliary_weight: float = 0.05
    label_smoothing: float = 0.0


class IntensityAware(nn.Module):
    """Sum of cross-entropy, rivalry and the auxiliary cross-entropy."""

    def __init__(self, options: IalOptions) -> None:
        super().__init__()
        self.options = options

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The weighted sum; parts are its terms unweighted."""
        targets = targets_of(labels, state, logits)
        cross_entropy = cross_entropies(logits, targets, self.options.label_smoothing).mean()
        rivalry = (targets * rivalries(logits)).sum(dim=1).mean()
        loss = cross_entropy + self.options.intensity_weight * rivalry
        parts = {"cross_entropy": cross_entropy.detach(), "rivalry": rivalry.detach()}
        if state.auxiliary is not None:
            auxiliary = cross_entropies(state.auxiliary, targets).mean()
            loss = loss + self.options.auxiliary_weight * auxiliary
            parts["auxiliary"] = auxiliary.detach()
        return LossParts(loss, parts)


def rivalries(logits: Float[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    """For each class, minus the log of its two-way softmax against the largest other logit."""
    largest, indices = logits.topk(2, dim=1)
    is_first = functional.one_hot(indices[:, 0], logits.shape[1]).bool()
    rival = largest[:, 1:].expand_as(logits).where(is_first, largest[:, :1])
    return functional.softplus(rival - logits)


def _build(options: IalOptions, data: TrainingData) -> IntensityAware:
    return IntensityAware(options)


ial = Objective(
    title="Intensity-aware loss",
    paper="Li et al. Intensity-Aware Loss for Dynamic Facial Expression Recognition in the Wild. AAAI 2023.",
    options=IalOptions,
    build=_build,
    takes_distributions=True,
)
