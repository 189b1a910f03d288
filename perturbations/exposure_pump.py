"""Hunting automatic exposure: the brightness swings up and down."""

import math

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import to_pixels
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A sinusoid of one to two periods over the clip, at a random phase."""
    draws = Draws(key)
    pace, phase = 2 * math.pi * draws.uniform(1, 2) / shape.frames, draws.uniform(0, 2 * math.pi)
    gains = [1 + level * math.sin(phase + pace * moment) for moment in range(shape.frames)]
    return {"gain": torch.tensor(gains, dtype=torch.float32)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame times its own gain."""
    return to_pixels(pixels * params["gain"][:, :, None, None, None])


exposure_pump = Perturbation(
    title="Exposure pumping",
    family="temporal_light",
    unit="amplitude of the gain",
    levels=(0.05, 0.1, 0.2, 0.3, 0.4),
    granularity="coherent",
    label_preserving="yes",
    source="own; automatic exposure",
    draw=draw,
    apply=apply,
)
