"""Fewer pixels: frames averaged down, and drawn up again."""

from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from perturbations._contract import ClipShape, Params
from perturbations._pixels import to_pixels


def smaller(factor: float, shape: ClipShape) -> Params:
    """Parameters of ``coarsen``: the frame's size divided by a factor."""
    return {"size": torch.tensor([max(1, round(shape.height / factor)), max(1, round(shape.width / factor))])}


def coarsen(
    pixels: UInt8[Tensor, "b t c h w"], params: Params, mode: Literal["bicubic", "nearest-exact"]
) -> UInt8[Tensor, "b t c h w"]:
    """Every frame averaged down to its clip's ``size`` and interpolated up again."""
    frames = pixels.flatten(1, 2).to(torch.float32)
    spoilt = [
        interpolate(interpolate(clip[None], size=size, mode="area"), size=clip.shape[-2:], mode=mode)
        for clip, size in zip(frames, map(tuple, params["size"].tolist()), strict=True)
    ]
    return to_pixels(torch.cat(spoilt)).view(pixels.shape)
