"""Procedural probe clips: soft moving texture in exact arithmetic, for tests and for galleries without footage."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn.functional import avg_pool2d

from perturbations._contract import ClipShape
from perturbations._random import integers

OCTAVES = ((16, 0.5), (8, 0.25), (2, 0.125), (1, 0.125))
"""Cell sizes in pixels and their weights: powers of two, so that every value is exact."""


def moving_clip(shape: ClipShape, key: int = 0) -> UInt8[Tensor, "t c h w"]:
    """A clip of coloured texture that drifts by a pixel a frame to the right and half a pixel down."""
    canvas = texture(shape.height + shape.frames, shape.width + shape.frames, key)
    frames = [
        canvas[:, moment // 2 : moment // 2 + shape.height, moment : moment + shape.width]
        for moment in range(shape.frames)
    ]
    return torch.stack(frames).round().to(torch.uint8)


def static_clip(shape: ClipShape, key: int = 0) -> UInt8[Tensor, "t c h w"]:
    """The first frame of the moving clip in every frame."""
    return moving_clip(shape, key)[:1].repeat(shape.frames, 1, 1, 1)


def texture(height: int, width: int, key: int) -> Float32[Tensor, "3 h w"]:
    """Smooth random colour fields of four scales, values in 0..255."""
    total = torch.zeros(3, height, width, dtype=torch.float32)
    for stream, (cell, weight) in enumerate(OCTAVES):
        grid = (3, height // cell + 3, width // cell + 3)
        coarse = integers(torch.tensor([key]), stream, grid, 256)[0].to(torch.float32)
        fine = coarse.repeat_interleave(cell, 1).repeat_interleave(cell, 2)
        total += weight * avg_pool2d(fine, cell, stride=1)[:, :height, :width]
    return total
