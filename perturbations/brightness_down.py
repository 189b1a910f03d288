"""Overly dark recording: every value lowered by a fraction of full scale."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._tone import offset, shift


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The fall."""
    return offset(-level)


brightness_down = Perturbation(
    title="Brightness down",
    family="illumination",
    unit="fraction of full scale subtracted from every channel",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="RAF-DB-C brightness decrease (MIVIA 2022), subtracted in RGB",
    draw=draw,
    apply=shift,
    whole_batch=True,
    keyed=False,
)
