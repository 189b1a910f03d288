"""Fading colour: towards grey of the same luma."""

from perturbations._colour import fade
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The colour left."""
    return {"colour": scalar(level)}


desaturate = Perturbation(
    title="Desaturation",
    family="colour",
    unit="share of colour left; severity 5 is greyscale",
    levels=(0.8, 0.6, 0.4, 0.2, 0.0),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C saturate split in two; the operation of kornia's adjust_saturation_with_gray_subtraction",
    draw=draw,
    apply=fade,
    keyed=False,
)
