"""Dead and hot pixels: salt and pepper on single channel values."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._noise import noise
from perturbations._pixels import per_clip
from perturbations._random import bits16


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The noise's key and share of values hit."""
    return noise(level, key)


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """A share of all values set to black or to white, evenly, independently in every frame and channel."""
    chance = bits16(params["key"], 0, tuple(pixels.shape[1:]))
    reach = per_clip((params["level"] * 2**15).round().to(torch.int32))
    # the bound that no chance exceeds is 2**15 - 1: 16 bits hold no more
    pepper, salt = (reach - 2**15).to(torch.int16), (2**15 - 1 - reach).to(torch.int16)
    return pixels.masked_fill(chance > salt, 255).masked_fill_(chance < pepper, 0)


impulse_noise = Perturbation(
    title="Impulse noise",
    family="noise",
    unit="share of channel values set to black or white",
    levels=(0.01, 0.02, 0.05, 0.08, 0.14),
    granularity="frame",
    label_preserving="yes",
    source="Tiny-ImageNet-C impulse_noise (Hendrycks and Dietterich 2019)",
    draw=draw,
    apply=apply,
)
