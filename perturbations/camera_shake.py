"""Camera shake: every frame smeared along a line whose direction and length wander."""

import math

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._kernel import LEAST_LENGTH, convolve, line
from perturbations._random import Draws

WANDER = 320.0
"""Degrees that the direction turns in the course of the clip (20 a frame of 16)."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A direction that turns a random way in even steps, and a length that swings down to half and back once a clip."""
    draws = Draws(key)
    angle, turn, phase = (
        draws.uniform(0, 180),
        draws.sign() * WANDER / max(shape.frames, 1),
        draws.uniform(0, 2 * math.pi),
    )
    longest = max(level * shape.height, LEAST_LENGTH)
    kernels = []
    for moment in range(shape.frames):
        length = longest * (0.75 + 0.25 * math.cos(phase + 2 * math.pi * moment / shape.frames))
        kernels.append(line(length, angle + turn * moment, reach=math.ceil(longest / 2)))
    return {"kernels": torch.stack(kernels)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The blurred frames."""
    return convolve(pixels, params["kernels"])


camera_shake = Perturbation(
    title="Camera shake",
    family="blur",
    unit="longest smear, fraction of the frame's height",
    levels=(0.045, 0.06, 0.08, 0.1, 0.13),
    granularity="coherent",
    label_preserving="yes",
    source="levels of motion_blur; the wandering direction is our own",
    draw=draw,
    apply=apply,
)
