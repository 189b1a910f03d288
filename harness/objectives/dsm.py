"""HDF's distribution-aware scaling (DSM) as the paper draws it.

Source: Cui et al., ACM MM 2025 (arXiv 2507.15765), architecture figure. With s_ij the cosine of two clips' features and
P(i) the other clips of i's class::

    w_ij   = exp(-(s_ij - eta)^2 / (2 eta^2))
    L_DSC  = mean_i -1/|P(i)| sum_{p in P(i)} log[ exp(s_ip / tau) / sum_{a != i} w_ia exp(s_ia / tau) ]
    L_IB   = Tr Cov(z),  Cov(z) = 1/N sum_i (z_i - mean)(z_i - mean)^T
    lambda_CE = alpha g / (g + 1),  lambda_SC = beta / (g + 1),  g the L2 norm of the loss's gradient
    L      = lambda_CE L_CE + lambda_SC (L_DSC + ib L_IB)

The figure leaves out tau and the coefficient of L_IB; both have the released code's values by default. The weight is
taken on the cosine, since on s / tau it is ill-posed. L_DSC may be negative: at eta = 0.2 a positive at cosine 1 has
the weight exp(-8) in the denominator and the weight 1 in the numerator.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._contrast import Pairs, log_sum_over, mean_over_anchors, pairs_of, unit_length
from harness.objectives._dsm import Terms
from harness.objectives._targets import mean_cross_entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class DsmOptions:
    """The loss's numbers and the published ambiguities as switches.

    Attributes:
        eta: cosine that is weighted most, and the width of the weight.
        tau: temperature of the contrast.
        alpha: largest weight of the cross-entropy.
        beta: largest weight of the contrast.
        ib_coefficient: weight of the trace of the covariance within the contrast.
        ib_sign: ``compress`` adds the trace (figure); ``spread`` subtracts it (released code).
        ib_scope: covariance of ``all`` clips (figure) or around each class's mean (``within_class``).
        weighted_pairs: which pairs of the denominator are weighted: ``all`` (figure), ``negatives``, which bounds the
            loss below, or ``none``, which is supervised contrast.
        scaling: ``gradient`` (figure) or ``constant`` (released code: alpha and beta themselves).
        label_smoothing: of the cross-entropy.
    """

    eta: float = 0.2
    tau: float = 0.07
    alpha: float = 10.0
    beta: float = 0.1
    ib_coefficient: float = 0.5
    ib_sign: Literal["compress", "spread"] = "compress"
    ib_scope: Literal["all", "within_class"] = "all"
    weighted_pairs: Literal["all", "negatives", "none"] = "all"
    scaling: Literal["gradient", "constant"] = "gradient"
    label_smoothing: float = 0.1


class DistributionAwareScaling(nn.Module):
    """Cross-entropy and weighted contrast, balanced by the norm of the gradient."""

    def __init__(self, options: DsmOptions) -> None:
        super().__init__()
        self.options = options

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The scaled sum; parts are the three terms unscaled and the two scales."""
        options = self.options
        terms = Terms(
            cross_entropy=mean_cross_entropy(logits, labels, state, options.label_smoothing),
            contrast=weighted_contrast(pairs_of(features, labels), options),
            trace=trace_of_covariance(unit_length(features), labels, within_class=options.ib_scope == "within_class"),
        )
        scale_ce, scale_sc = self._scales(state.gradient_norm, terms.cross_entropy)
        sign = 1.0 if options.ib_sign == "compress" else -1.0
        summed = terms.summed(scale_ce, scale_sc, sign * options.ib_coefficient)
        return LossParts(summed.loss, summed.parts | {"scale_ce": scale_ce.detach(), "scale_sc": scale_sc.detach()})

    def _scales(
        self, gradient_norm: Float[Tensor, ""] | None, like: Float[Tensor, ""]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Weights of cross-entropy and contrast: half of each cap before any gradient is known."""
        if self.options.scaling == "constant":
            return like.new_tensor(self.options.alpha), like.new_tensor(self.options.beta)
        norm = like.new_tensor(1.0) if gradient_norm is None else gradient_norm.detach().to(like)
        return self.options.alpha * norm / (norm + 1), self.options.beta / (norm + 1)


def weighted_contrast(pairs: Pairs, options: DsmOptions) -> Float[Tensor, ""]:
    """Supervised contrast whose denominator weights each pair by its similarity, in log space."""
    scores = pairs.cosine / options.tau
    log_weights = -((pairs.cosine - options.eta) ** 2) / (2 * options.eta**2)
    if options.weighted_pairs == "none":
        log_weights = torch.zeros_like(log_weights)
    elif options.weighted_pairs == "negatives":
        log_weights = log_weights.masked_fill(pairs.positive, 0.0)
    denominators = log_sum_over(scores + log_weights, pairs.different)
    return mean_over_anchors(scores - denominators[:, None], pairs.positive)


def trace_of_covariance(
    unit: Float[Tensor, "b d"], labels: Int[Tensor, " b"], *, within_class: bool
) -> Float[Tensor, ""]:
    """Mean squared distance to the mean (of all clips, or of each clip's class): the trace, without the matrix."""
    if not within_class:
        return (unit - unit.mean(dim=0)).square().sum(dim=1).mean()
    same = (labels[:, None] == labels[None, :]).to(unit)
    means = same @ unit / same.sum(dim=1, keepdim=True)
    return (unit - means).square().sum(dim=1).mean()


def _build(options: DsmOptions, data: TrainingData) -> DistributionAwareScaling:
    return DistributionAwareScaling(options)


dsm = Objective(
    title="DSM (HDF)",
    paper=(
        "Cui et al. Learning from Heterogeneity: Generalizing Dynamic Facial Expression Recognition via "
        "Distributionally Robust Optimization. ACM MM 2025, architecture figure."
    ),
    options=DsmOptions,
    build=_build,
    takes_distributions=True,
)
