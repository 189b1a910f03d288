"""Cross-entropy plus supervised contrast of the features (Khosla et al., NeurIPS 2020)."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._contrast import log_sum_over, mean_over_anchors, pairs_of
from harness.objectives._targets import cross_entropies, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SupConOptions:
    """Temperature and share of the contrast.

    Attributes:
        tau: temperature, 0.07 in the authors' code.
        weight: of the contrast beside the cross-entropy. The paper trains in two stages; the sum trains in one.
        label_smoothing: of the cross-entropy.
    """

    tau: float = 0.07
    weight: float = 1.0
    label_smoothing: float = 0.1


class SupCon(nn.Module):
    """Cross-entropy and contrast between clips of one class and all others; positives are hard labels' clips."""

    def __init__(self, options: SupConOptions) -> None:
        super().__init__()
        self.options = options

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The sum; parts are its terms unweighted. Anchors without a positive are left out of the contrast."""
        pairs = pairs_of(features, labels)
        scores = pairs.cosine / self.options.tau
        contrast = mean_over_anchors(scores - log_sum_over(scores, pairs.different)[:, None], pairs.positive)
        targets = targets_of(labels, state, logits)
        cross_entropy = cross_entropies(logits, targets, self.options.label_smoothing).mean()
        parts = {"cross_entropy": cross_entropy.detach(), "contrast": contrast.detach()}
        return LossParts(cross_entropy + self.options.weight * contrast, parts)


def _build(options: SupConOptions, data: TrainingData) -> SupCon:
    return SupCon(options)


supcon = Objective(
    title="Cross-entropy and SupCon",
    paper="Khosla et al. Supervised Contrastive Learning. NeurIPS 2020, equation 2 (L_out).",
    options=SupConOptions,
    build=_build,
    takes_distributions=True,
)
