"""Mirrored: left and right exchanged in the whole clip."""

from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Nothing to draw."""
    return {}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The mirrored clips."""
    return pixels.flip(-1)


hflip = Perturbation(
    title="Horizontal flip",
    family="geometry",
    unit="a single level",
    levels=(1.0, 1.0, 1.0, 1.0, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="invariance check",
    draw=draw,
    apply=apply,
    whole_batch=True,
    keyed=False,
)
