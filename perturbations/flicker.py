"""Flickering light: every frame has a brightness of its own."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import to_pixels
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """An independent gain for each frame, uniform within the level of one."""
    draws = Draws(key)
    gains = [1 + draws.uniform(-level, level) for _ in range(shape.frames)]
    return {"gain": torch.tensor(gains, dtype=torch.float32)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame times its own gain."""
    return to_pixels(pixels * params["gain"][:, :, None, None, None])


flicker = Perturbation(
    title="Flicker",
    family="temporal_light",
    unit="largest departure of the gain from one",
    levels=(0.05, 0.1, 0.2, 0.3, 0.4),
    granularity="frame",
    label_preserving="yes",
    source="own; 50 and 60 Hz light beating with the shutter",
    draw=draw,
    apply=apply,
)
