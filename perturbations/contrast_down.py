"""Flat light: values drawn towards the clip's channel means."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._tone import gain, stretch


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The remaining contrast."""
    return gain(level)


contrast_down = Perturbation(
    title="Contrast down",
    family="illumination",
    unit="factor on the distance from the clip's channel mean",
    levels=(0.5, 0.4, 0.3, 0.2, 0.1),
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C contrast (Yi et al. 2021), about the clip's mean instead of the frame's",
    draw=draw,
    apply=stretch,
    keyed=False,
)
