"""Overly bright recording: every value raised by a fraction of full scale."""

from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._tone import offset, shift_either, value_offset


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The rise."""
    return offset(level)


def draw_either(level: float, in_value: float, key: int, shape: ClipShape) -> Params:
    """The rise, of the HSV value if that is asked for by 1."""
    return value_offset(level) if in_value else draw(level, key, shape)


brightness_up = Perturbation(
    title="Brightness up",
    family="illumination",
    unit="fraction of full scale added to every channel",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C brightness (Hendrycks and Dietterich 2019), added in RGB instead of to HSV value",
    draw=draw,
    apply=shift_either,
    whole_batch=True,
    keyed=False,
    second=SecondParameter("of the HSV value instead, if 1", draw_either),
)
