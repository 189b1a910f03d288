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


def field(pixels: UInt8[Tensor, "b t c h w"], params: Params, *, frozen: bool = False) -> Float32[Tensor, "b f c h w"]:
    """Standard normal noise for every frame, or one draw for them all (``f`` 1) if frozen."""
    frames, *size = pixels.shape[1:]
    return normal(params["key"], 0, (1 if frozen else frames, *size))


def add(pixels: UInt8[Tensor, "b t c h w"], params: Params, *, frozen: bool = False) -> UInt8[Tensor, "b t c h w"]:
    """Additive Gaussian noise whose standard deviation is ``level`` of full scale."""
    values = field(pixels, params, frozen=frozen).mul_(per_clip(params["level"] * 255))
    return to_pixels(values.add(pixels) if frozen else values.add_(pixels))


def add_speckle(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Gaussian noise whose standard deviation is ``level`` times each value."""
    return to_pixels(field(pixels, params).mul_(per_clip(params["level"])).add_(1).mul_(pixels))


def sensor_noise(photon: float, read: float, key: int) -> Params:
    """Parameters of ``add_sensor_noise``: variance photon * x + read**2 at a value x in 0..1."""
    return {"key": torch.tensor(key), "photon": scalar(photon), "read": scalar(read)}


def add_sensor_noise(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Poisson-Gaussian noise in its normal approximation (Foi et al. 2008)."""
    variance = pixels * per_clip(params["photon"] * 255)
    deviation = variance.add_(per_clip((params["read"] * 255) ** 2)).sqrt_()
    return to_pixels(deviation.mul_(field(pixels, params)).add_(pixels))
