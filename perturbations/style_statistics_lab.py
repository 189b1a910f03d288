"""A different look: lightness and colour opponents moved towards a donor's mean and spread, as colourists do."""

import torch

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._donors import COUNT
from perturbations._pixels import scalar
from perturbations._random import Draws
from perturbations._style import move_statistics_lab


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How far to go, and the donor."""
    return {"share": scalar(level), "host_donor": torch.tensor(Draws(key).integer(COUNT))}


style_statistics_lab = Perturbation(
    title="Style statistics in Lab",
    family="style",
    unit="share of the way to the donor's means and standard deviations of L, a and b",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="colour transfer (Reinhard et al. 2001), in CIELAB",
    draw=draw,
    apply=move_statistics_lab,
)
