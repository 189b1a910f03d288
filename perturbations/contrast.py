"""Wrong contrast in either direction, about the clip's channel means."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._random import Draws
from perturbations._tone import gain, stretch

LESS = (0.5, 0.4, 0.3, 0.2, 0.1)
MORE = (1.5, 1.9, 2.6, 3.3, 5.0)


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The reduced contrast or, as likely, the increased one of the same severity."""
    return gain(level if Draws(key).sign() < 0 else along(level, LESS, MORE))


contrast = Perturbation(
    title="Contrast",
    family="illumination",
    unit="factor on the distance from the clip's channel mean; for half of the clips 1.5, 1.9, 2.6, 3.3, 5 instead",
    levels=LESS,
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C contrast and RAF-DB-C contrast increase, in a random direction for each clip",
    draw=draw,
    apply=stretch,
)
