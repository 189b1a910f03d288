"""Hue turned, value and saturation kept."""

from perturbations._colour import turn_hue
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The turn, either way."""
    return {"turn": scalar(Draws(key).sign() * level)}


hue = Perturbation(
    title="Hue",
    family="colour",
    unit="turn of the HSV hue circle, either way",
    levels=(0.02, 0.04, 0.08, 0.15, 0.25),
    granularity="clip",
    label_preserving="yes",
    source="OODFace's shift of hue (Kang et al. 2024), levels own; the operation of kornia's adjust_hue",
    draw=draw,
    apply=turn_hue,
)
