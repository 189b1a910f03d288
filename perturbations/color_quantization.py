"""Few colours: each channel keeps its highest bits."""

import math

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._curve import curve, look_up


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The staircase of 2**bits steps, each at its lower edge."""
    steps = 2**level
    return curve(lambda value: math.floor(round(255 * value) * steps / 256) * 256 / steps / 255)


color_quantization = Perturbation(
    title="Colour quantisation",
    family="colour",
    unit="bits kept in each channel",
    levels=(6.0, 5.0, 4.0, 3.0, 2.0),
    granularity="clip",
    label_preserving="yes",
    source="3D Common Corruptions color_quant (Kar et al. 2022); the operation of kornia's posterize",
    draw=draw,
    apply=look_up,
)
