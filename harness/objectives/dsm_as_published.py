"""What HDF's released code makes of DSM, as its own arm.

Source: QIcita/HDF_DFER, ``models/DSM.py`` and ``train_wSAM.py`` at e64e781 (no licence; re-implemented from its
formulas). The released functions cannot run (an undefined mask, a call to itself); this is the loss that they spell
out, with the undefined mask read as "same label, other clip". Against the figure: the weight is taken on logits that
are divided by tau and have their row maximum subtracted, it is normalised per row, it multiplies the numerator, the
denominator includes the anchor, the trace is subtracted, and the two scales are constants. In effect all weight sits on
the anchor itself, so the contrast is nearly zero until positives are nearly identical.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._contrast import Pairs, mean_over_anchors, pairs_of, unit_length
from harness.objectives._dsm import Terms
from harness.objectives._targets import mean_cross_entropy

RIDGE = 1e-6
"""Added to each variance by the released code; it moves the loss by a constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DsmAsPublishedOptions:
    """The released constants.

    Attributes:
        eta: centre and width of the weight.
        tau: temperature of the contrast.
        ib_coefficient: weight of the subtracted trace (0.5 in the call, 0.1 by default in the function).
        scale_ce: weight of the cross-entropy.
        scale_sc: weight of contrast and trace.
        label_smoothing: of the cross-entropy.
    """

    eta: float = 0.2
    tau: float = 0.07
    ib_coefficient: float = 0.5
    scale_ce: float = 10.0
    scale_sc: float = 0.1
    label_smoothing: float = 0.1


class DsmAsPublished(nn.Module):
    """Ten times cross-entropy, minus a small reward for spread-out features."""

    def __init__(self, options: DsmAsPublishedOptions) -> None:
        super().__init__()
        self.options = options

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The scaled sum; parts are the three terms unscaled."""
        options = self.options
        terms = Terms(
            cross_entropy=mean_cross_entropy(logits, labels, state, options.label_smoothing),
            contrast=contrast_as_published(pairs_of(features, labels), options.eta, options.tau),
            trace=unbiased_trace(unit_length(features)),
        )
        return terms.summed(options.scale_ce, options.scale_sc, -options.ib_coefficient)


def contrast_as_published(pairs: Pairs, eta: float, tau: float) -> Float[Tensor, ""]:
    """Log-probabilities over all clips, each multiplied by its row-normalised weight."""
    scores = pairs.cosine / tau
    scores = scores - scores.amax(dim=1, keepdim=True).detach()
    weights = torch.softmax(-((scores - eta) ** 2) / (2 * eta**2), dim=1)
    return mean_over_anchors(weights * torch.log_softmax(scores, dim=1), pairs.positive)


def unbiased_trace(unit: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """Sum of the unbiased variances of all features and their ridge; the ridge alone for a single clip."""
    spread = (unit - unit.mean(dim=0)).square().sum() / max(len(unit) - 1, 1)
    return spread + RIDGE * unit.shape[1]


def _build(options: DsmAsPublishedOptions, data: TrainingData) -> DsmAsPublished:
    return DsmAsPublished(options)


dsm_as_published = Objective(
    title="DSM as released (HDF)",
    paper="Cui et al. ACM MM 2025, released code QIcita/HDF_DFER at e64e781.",
    options=DsmAsPublishedOptions,
    build=_build,
    takes_distributions=True,
)
