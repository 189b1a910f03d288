"""Few colours: each channel keeps its highest bits."""

from functools import lru_cache

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._curve import curve, look_up


@lru_cache(maxsize=64)
def _mask_or_curve(level: float) -> Params:
    if level == int(level):
        return {"mask": torch.full((1, 1, 1, 1), 256 - (1 << (8 - int(level))), dtype=torch.uint8)}
    width = 256 / 2**level
    # the half keeps the lowest value of a step in it when the step is a little wider than a whole number of values
    return curve(lambda value: (round(255 * value) + 0.5) // width * width / 255)


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A mask of the highest bits, or between two numbers of bits a tone curve of steps; nothing is random."""
    return _mask_or_curve(level)


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value at the lower edge of its step."""
    return pixels & params["mask"] if "mask" in params else look_up(pixels, params)


color_quantization = Perturbation(
    title="Colour quantisation",
    family="colour",
    unit="bits kept in each channel",
    levels=(6.0, 5.0, 4.0, 3.0, 2.0),
    granularity="clip",
    label_preserving="yes",
    source="3D Common Corruptions color_quant (Kar et al. 2022) with a bit more; the operation of kornia's posterize",
    draw=draw,
    apply=apply,
    whole_batch=True,
    keyed=False,
)
