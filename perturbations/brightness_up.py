"""Overly bright recording: every value raised by a fraction of full scale."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._tone import offset, shift


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The rise."""
    return offset(level)


brightness_up = Perturbation(
    title="Brightness up",
    family="illumination",
    unit="fraction of full scale added to every channel",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C brightness (Hendrycks and Dietterich 2019), added in RGB instead of to HSV value",
    draw=draw,
    apply=shift,
    whole_batch=True,
    keyed=False,
)
