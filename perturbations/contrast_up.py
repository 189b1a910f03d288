"""Hard light: values driven away from the clip's channel means."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._tone import gain, stretch


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The exaggerated contrast."""
    return gain(level)


contrast_up = Perturbation(
    title="Contrast up",
    family="illumination",
    unit="factor on the distance from the clip's channel mean",
    levels=(1.5, 1.9, 2.6, 3.3, 5.0),
    granularity="clip",
    label_preserving="yes",
    source="RAF-DB-C contrast increase (MIVIA 2022), about the clip's mean",
    draw=draw,
    apply=stretch,
    keyed=False,
)
