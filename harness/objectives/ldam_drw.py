"""Label-distribution-aware margins with deferred re-weighting (Cao et al., NeurIPS 2019)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import class_balanced_weights, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LdamDrwOptions:
    """Margins and the moment of re-weighting; the defaults are the released code's.

    Attributes:
        largest_margin: of the rarest class, on cosines; a class of n clips has one proportional to n^(-1/4).
        scale: of the network's logits, by which margins are multiplied: 30 for a network with ``classifier: cosine``,
            which is what the method is defined on; 1 for a linear classifier.
        reweight_from: share of training after which classes are weighted by their inverse effective number.
        beta: of these weights.
    """

    largest_margin: float = 0.5
    scale: float = 30.0
    reweight_from: float = 0.8
    beta: float = 0.9999


class LdamDrw(nn.Module):
    """Cross-entropy of logits whose target is lowered by its margin; weighted means once re-weighting has begun."""

    margins: Tensor
    weights: Tensor

    def __init__(self, options: LdamDrwOptions, class_counts: tuple[int, ...]) -> None:
        super().__init__()
        self.reweight_from = options.reweight_from
        counts = torch.tensor(class_counts, dtype=torch.float32)
        raw = torch.where(counts > 0, counts.clamp(min=1) ** -0.25, 0.0)
        self.register_buffer("margins", options.scale * options.largest_margin * raw / raw.max(), persistent=False)
        self.register_buffer("weights", class_balanced_weights(class_counts, options.beta), persistent=False)

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with plain cross-entropy as a part.

        The mean is over the weights, as in the released code; a batch of classes without weight counts for nothing.
        """
        targets = targets_of(labels, state, logits)
        weights = targets * (self.weights if state.progress >= self.reweight_from else torch.ones_like(self.weights))
        log_chances = (logits - targets * self.margins).log_softmax(dim=1)
        loss = -(weights * log_chances).sum() / weights.sum().clamp(min=torch.finfo(weights.dtype).tiny)
        return LossParts(loss, {"cross_entropy": -(targets * logits.log_softmax(1)).sum(1).mean().detach()})


def _build(options: LdamDrwOptions, data: TrainingData) -> LdamDrw:
    return LdamDrw(options, data.class_counts)


ldam_drw = Objective(
    title="LDAM-DRW",
    paper=(
        "Cao et al. Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss. NeurIPS 2019, section 3, "
        "algorithm 1."
    ),
    options=LdamDrwOptions,
    build=_build,
    takes_distributions=True,
)
