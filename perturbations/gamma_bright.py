"""Lifted shadows: a gamma below one."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._curve import gamma, look_up


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The tone curve."""
    return gamma(level)


gamma_bright = Perturbation(
    title="Gamma, brighter",
    family="illumination",
    unit="exponent of values in 0..1",
    levels=(0.8, 0.67, 0.5, 0.4, 0.33),
    granularity="clip",
    label_preserving="yes",
    source="own levels; the operation of kornia's adjust_gamma",
    draw=draw,
    apply=look_up,
    keyed=False,
)
