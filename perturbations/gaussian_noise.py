"""Sensor noise: independent Gaussian noise in every frame, channel and pixel."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._noise import add, noise


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The noise's key and standard deviation."""
    return noise(level, key)


gaussian_noise = Perturbation(
    title="Gaussian noise",
    family="noise",
    unit="standard deviation, fraction of full scale",
    levels=(0.04, 0.08, 0.12, 0.15, 0.18),
    granularity="frame",
    label_preserving="yes",
    source="Tiny-ImageNet-C (Hendrycks and Dietterich 2019); ImageNet-C's are meant for 224 px",
    draw=draw,
    apply=add,
)
