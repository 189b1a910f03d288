"""Garish colour: HSV saturation multiplied."""

from perturbations._colour import saturate
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The factor."""
    return {"factor": scalar(level)}


oversaturate = Perturbation(
    title="Oversaturation",
    family="colour",
    unit="factor on HSV saturation",
    levels=(1.5, 2.0, 3.0, 5.0, 10.0),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C saturate split in two; the operation of kornia's adjust_saturation",
    draw=draw,
    apply=saturate,
    keyed=False,
)
