"""A different look: each channel's mean and spread moved towards a donor's."""

import torch

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._donors import COUNT
from perturbations._pixels import scalar
from perturbations._random import Draws
from perturbations._style import move_statistics


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How far to go, and the donor."""
    return {"share": scalar(level), "host_donor": torch.tensor(Draws(key).integer(COUNT))}


style_statistics = Perturbation(
    title="Style statistics",
    family="style",
    unit="share of the way to the donor's channel means and standard deviations",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="AdaIN (Huang and Belongie 2017) and MixStyle (Zhou et al. 2021), in pixel space",
    draw=draw,
    apply=move_statistics,
)
