"""Sensor noise: an independent draw for every frame, channel and pixel."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from perturbations._contract import Params
from perturbations._pixels import per_clip, scalar, to_pixels
from perturbations._random import normal


def noise(level: float, key: int) -> Params:
    """Parameters of a noise: the key of its field and its magnitude."""
    return {"key": torch.tensor(key), "level": scalar(level)}


def field(pixels: UInt8[Tensor, "b t c h w"], params: Params, *, frozen: bool = False) -> Float32[Tensor, "b t c h w"]:
    """Standard normal noise; the same in every frame (``b 1 c h w``) if frozen."""
    frames, *size = pixels.shape[1:]
    return normal(params["key"], 0, (1 if frozen else frames, *size))


def add(pixels: UInt8[Tensor, "b t c h w"], params: Params, *, frozen: bool = False) -> UInt8[Tensor, "b t c h w"]:
    """Additive Gaussian noise whose standard deviation is ``level`` of full scale."""
    values = field(pixels, params, frozen=frozen).mul_(per_clip(params["level"] * 255))
    return to_pixels(values.add(pixels) if frozen else values.add_(pixels))
