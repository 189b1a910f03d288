"""Few colours: each channel keeps its highest bits."""

from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import per_clip, scalar, to_pixels


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The number of steps, two to the power of the bits; nothing is random."""
    return {"steps": scalar(2**level)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value at the lower edge of its step."""
    width = per_clip(256 / params["steps"])
    return to_pixels((pixels / width).floor_().mul_(width))


color_quantization = Perturbation(
    title="Colour quantisation",
    family="colour",
    unit="bits kept in each channel",
    levels=(6.0, 5.0, 4.0, 3.0, 2.0),
    granularity="clip",
    label_preserving="yes",
    source="3D Common Corruptions color_quant (Kar et al. 2022); the operation of kornia's posterize",
    draw=draw,
    apply=apply,
)
