"""Crushed shadows: a gamma above one."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._curve import gamma, look_up


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The tone curve."""
    return gamma(level)


gamma_dark = Perturbation(
    title="Gamma, darker",
    family="illumination",
    unit="exponent of values in 0..1",
    levels=(1.25, 1.5, 2.0, 2.5, 3.0),
    granularity="clip",
    label_preserving="yes",
    source="own levels; the operation of kornia's adjust_gamma",
    draw=draw,
    apply=look_up,
    keyed=False,
)
