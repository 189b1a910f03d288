"""A different look: each channel's histogram moved towards a donor's."""

import torch

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._donors import COUNT
from perturbations._pixels import scalar
from perturbations._random import Draws
from perturbations._style import match_histograms


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How far to go, and the donor."""
    return {"share": scalar(level), "host_donor": torch.tensor(Draws(key).integer(COUNT))}


histogram_match = Perturbation(
    title="Histogram match",
    family="style",
    unit="share of the way to the donor's histogram",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="exact histogram specification per channel and clip (Gonzalez and Woods)",
    draw=draw,
    apply=match_histograms,
)
