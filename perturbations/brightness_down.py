"""Overly dark recording: every value lowered by a fraction of full scale."""

from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._tone import offset, shift_either, value_offset


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The fall."""
    return offset(-level)


def draw_either(level: float, in_value: float, key: int, shape: ClipShape) -> Params:
    """The fall, of the HSV value if that is asked for by 1."""
    return value_offset(-level) if in_value else draw(level, key, shape)


brightness_down = Perturbation(
    title="Brightness down",
    family="illumination",
    unit="fraction of full scale subtracted from every channel",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="RAF-DB-C brightness decrease (MIVIA 2022), subtracted in RGB",
    draw=draw,
    apply=shift_either,
    whole_batch=True,
    keyed=False,
    second=SecondParameter("of the HSV value instead, if 1", draw_either),
)
