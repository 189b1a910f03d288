"""Blown highlights: every value multiplied, what exceeds white is lost."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._tone import gain, multiply


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The gain."""
    return gain(level)


overexposure = Perturbation(
    title="Overexposure",
    family="illumination",
    unit="gain of every value",
    levels=(1.25, 1.5, 2.0, 2.5, 3.0),
    granularity="clip",
    label_preserving="yes",
    source="own levels; the overexposure of temporal-action-detection-C (Zeng et al. 2024) as a gain",
    draw=draw,
    apply=multiply,
    keyed=False,
)
