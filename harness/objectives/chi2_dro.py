"""The worst mean loss over reweightings of the batch within a chi-square ball (Levy et al., NeurIPS 2020)."""

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from harness.objectives._contract import LossParts, Objective, TrainingData
from harness.objectives._worst_case import WorstCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Chi2DroOptions:
    """How far the reweighting may go.

    Attributes:
        radius: of the ball, ``1/2 mean((b q - 1)^2) <= radius`` for weights q; 0 is the mean.
        label_smoothing: of each clip's cross-entropy.
    """

    radius: float = 1.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise ValueError(f"radius must not be negative, but is {self.radius}")


def worst_mean(losses: Float[Tensor, " b"], radius: float) -> LossParts:
    """The worst mean, with the largest weight as a part.

    Its gradient is that of the losses under the worst weights (Danskin's theorem).
    """
    weights = worst_weights(losses.detach(), radius)
    return LossParts((weights * losses).sum(), {"largest_weight": weights.max()})


def worst_weights(losses: Float[Tensor, " b"], radius: float) -> Float[Tensor, " b"]:
    """The weights, summing to 1, in the ball around equal weights that give the largest mean.

    They are proportional to ``max(loss - eta, 0)``. If exactly the k largest losses count, the ball's edge fixes
    ``eta = mean - sqrt(variance b / (c k - b))`` with ``c = 1 + 2 radius`` and the k losses' mean and variance; of
    these b candidates (and the largest loss itself, which puts all weight there) the right one minimises the dual
    ``sqrt(c mean(max(loss - eta, 0)^2)) + eta``.
    """
    exact = losses.double()
    size, edge = len(losses), 1 + 2 * radius
    ordered = exact.sort(descending=True).values
    counts = torch.arange(1, size + 1, dtype=torch.float64, device=losses.device)
    means = ordered.cumsum(0) / counts
    variances = (ordered.square().cumsum(0) / counts - means.square()).clamp(min=0)
    slack = edge * counts - size
    etas = torch.where(slack > 0, means - torch.sqrt(variances * size / slack.clamp(min=1e-12)), ordered[0])
    etas = torch.cat([etas, ordered[:1]])
    duals = torch.sqrt(edge * (exact[None] - etas[:, None]).clamp(min=0).square().mean(dim=1)) + etas
    excess = (exact - etas.gather(0, duals.argmin(0, keepdim=True))).clamp(min=0)
    worst = (exact == ordered[0]).double()
    if radius == 0:
        excess = torch.ones_like(exact)
    chosen = torch.where(excess.sum() > 0, excess, worst)
    return (chosen / chosen.sum()).to(losses)


def _build(options: Chi2DroOptions, data: TrainingData) -> WorstCase:
    return WorstCase(partial(worst_mean, radius=options.radius), options.label_smoothing)


chi2_dro = Objective(
    title="Chi-square DRO",
    paper="Levy et al. Large-Scale Methods for Distributionally Robust Optimization. NeurIPS 2020, chi-square ball.",
    options=Chi2DroOptions,
    build=_build,
    takes_distributions=True,
)
