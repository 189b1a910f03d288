"""Multiplicative noise: Gaussian, in proportion to each value."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._noise import add_speckle, noise


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The noise's key and relative standard deviation."""
    return noise(level, key)


speckle_noise = Perturbation(
    title="Speckle noise",
    family="noise",
    unit="standard deviation relative to each value",
    levels=(0.15, 0.2, 0.25, 0.3, 0.35),
    granularity="frame",
    label_preserving="yes",
    source="Tiny-ImageNet-C speckle_noise (Hendrycks and Dietterich 2019)",
    draw=draw,
    apply=add_speckle,
)
