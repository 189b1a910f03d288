"""Geometry in integers: positions and bilinear weights in 1/64 pixel, so every device agrees in every bit.

A warp is told by the map from output to input pixels. Beyond the frame the edge is repeated.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float32, Float64, Int16, Int32, UInt8
from torch import Tensor
from torch.nn.functional import embedding_bag

from perturbations._contract import ClipShape, Params
from perturbations._pixels import within_pixels

STEPS = 6
GRID = 1 << STEPS
"""Positions a pixel along each side; float32 carries 8-bit values times the product of two shares."""


def similarity(shape: ClipShape, scale: float, degrees: float, right: float, down: float) -> Float64[Tensor, "3 3"]:
    """Content scaled and turned (counter-clockwise) about the frame's centre, then shifted by pixels.

    kornia's ``RandomAffine`` and ``RandomRotation`` turn in opposite directions; here positive is what a viewer
    sees as counter-clockwise.
    """
    return similarities(shape, [Move(scale, degrees, right, down)])[0]


class Move(NamedTuple):
    """Scale, degrees counter-clockwise, and pixels to the right and down."""

    scale: float
    degrees: float
    right: float
    down: float


def similarities(shape: ClipShape, moves: Sequence[Move]) -> Float64[Tensor, "n 3 3"]:
    """``similarity`` for each of several moves."""
    middle_x, middle_y = (shape.width - 1) / 2, (shape.height - 1) / 2
    rows = []
    for move in moves:
        turn, from_x, from_y = math.radians(move.degrees), middle_x + move.right, middle_y + move.down
        cosine, sine = math.cos(turn) / move.scale, math.sin(turn) / move.scale
        rows += [cosine, -sine, middle_x - cosine * from_x + sine * from_y]
        rows += [sine, cosine, middle_y - sine * from_x - cosine * from_y]
        rows += [0.0, 0.0, 1.0]
    return torch.tensor(rows, dtype=torch.float64).view(-1, 3, 3)


def warp(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Frames seen through ``matrix`` (``b f 3 3``): one map for the clip (``f`` 1) or one for each frame."""
    height, width = pixels.shape[-2:]
    right, down = _positions(params["matrix"], height, width)
    return sample(pixels, right, down)


def sample(
    pixels: UInt8[Tensor, "b t c h w"], right: Int32[Tensor, "b f h w"], down: Int32[Tensor, "b f h w"]
) -> UInt8[Tensor, "b t c h w"]:
    """Bilinear interpolation at positions in 1/64 pixel, which are held inside the frame.

    Every pixel is the mixture of four, rounded once. Sums of 8-bit values times 1/4096 are exact in any order, so the
    two ways to take them, each fast where it is used, agree in every bit.
    """
    height, width = pixels.shape[-2:]
    right, down = right.clamp(0, GRID * (width - 1)), down.clamp(0, GRID * (height - 1))
    first = (down >> STEPS).mul_(width).add_(right >> STEPS)
    across = (right & (GRID - 1)).to(torch.float32).div_(GRID)
    along = (down & (GRID - 1)).to(torch.float32).div_(GRID)
    if right.shape[1] > 1:
        return _looked_up(pixels, first, across, along)
    spoilt = torch.empty_like(pixels)
    clips = zip(pixels, first[:, 0], across[:, 0], along[:, 0], strict=True)
    for into, clip in zip(spoilt.flatten(1, 2), clips, strict=True):
        # a copy between memory layouts is twice as fast as that of a transposed view
        into[None].copy_(_gathered(*clip).permute(2, 0, 1)[None])
    return spoilt


def _gathered(
    clip: UInt8[Tensor, "t c h w"],
    first: Int32[Tensor, "h w"],
    across: Float32[Tensor, "h w"],
    along: Float32[Tensor, "h w"],
) -> UInt8[Tensor, "h w n"]:
    """All frames through one map: a pixel is a row of all frames' colours, and four rows are mixed at once."""
    height, width = first.shape
    # beyond the last column or row the share is zero, whatever is found there
    colours = torch.zeros(height * width + width + 1, clip.shape[:2].numel(), dtype=torch.float32, device=clip.device)
    colours[: height * width].view(height, width, -1).copy_(clip.flatten(0, 1).permute(1, 2, 0))
    # a place and the next one, side by side in 64 bits
    upper = first.flatten().to(torch.int64).mul_((1 << 32) + 1).add_(1 << 32)
    places = torch.stack([upper, upper + ((1 << 32) + 1) * width], 1).view(torch.int32)
    across, along = across.flatten(), along.flatten()
    corner = across * along
    shares = torch.stack([1 - across - along + corner, across - corner, along - corner, corner], 1)
    mixed = within_pixels(embedding_bag(places, colours, mode="sum", per_sample_weights=shares))
    return mixed.view(height, width, -1)


def _looked_up(
    pixels: UInt8[Tensor, "b t c h w"],
    first: Int32[Tensor, "b t h w"],
    across: Float32[Tensor, "b t h w"],
    along: Float32[Tensor, "b t h w"],
) -> UInt8[Tensor, "b t c h w"]:
    """Every frame through its own map: each value and its neighbour to the right are found together."""
    height, width = pixels.shape[-2:]
    pairs = _pairs(pixels).flatten()
    planes = torch.arange(pixels.shape[:3].numel(), dtype=torch.int32, device=pixels.device).mul_(height * width)
    base = planes.view(*pixels.shape[:3], 1, 1)

    def between_columns(start: Int32[Tensor, "b t h w"]) -> Float32[Tensor, "b t c h w"]:
        both = pairs.index_select(0, (base + start[:, :, None]).flatten()).view(pixels.shape)
        left, right = (both & 255).to(torch.float32), (both.bitwise_right_shift_(8) & 255).to(torch.float32)
        return left.lerp_(right, across[:, :, None])

    last = width * (height - 1)
    below = torch.where(first < last, first + width, first)
    return within_pixels(between_columns(first).lerp_(between_columns(below), along[:, :, None]))


def _pairs(pixels: UInt8[Tensor, "b t c h w"]) -> Int16[Tensor, "b t c h w"]:
    """Each pixel and its neighbour to the right in one word, so that one look-up gets both."""
    values = pixels.to(torch.int16)
    pairs = values.clone()
    pairs[..., :-1].add_(values[..., 1:], alpha=256)
    return pairs


def _positions(
    matrix: Float64[Tensor, "b f 3 3"], height: int, width: int
) -> tuple[Int32[Tensor, "b f h w"], Int32[Tensor, "b f h w"]]:
    """Where each output pixel looks, in 1/64 pixel; products and sums of doubles are alike on every device."""
    x = torch.arange(width, dtype=torch.float64, device=matrix.device)
    y = torch.arange(height, dtype=torch.float64, device=matrix.device)[:, None]
    # GRID is a power of two: it may come before or after every rounding
    right, down, far = (
        row[..., 0, None, None] * x + (row[..., 1, None, None] * y + row[..., 2, None, None])
        for row in (matrix[:, :, 0] * GRID, matrix[:, :, 1] * GRID, matrix[:, :, 2])
    )
    return _whole(right / far), _whole(down / far)


def _whole(position: Float64[Tensor, "b f h w"]) -> Int32[Tensor, "b f h w"]:
    return position.round_().clamp_(-(2.0**30), 2.0**30).to(torch.int32)


def quadrilateral(shape: ClipShape, corners: list[tuple[float, float]]) -> Float64[Tensor, "3 3"]:
    """The projective map that shows the inside of a quadrilateral in the whole frame.

    Closed form of Heckbert, "Fundamentals of texture mapping and image warping" (1989), section 2.2.3.

    Args:
        shape: of the frame.
        corners: where the output's top left, top right, bottom right and bottom left corners look (right, down).
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    sum_x, sum_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    ahead, aside = (x1 - x2, y1 - y2), (x3 - x2, y3 - y2)
    area = ahead[0] * aside[1] - aside[0] * ahead[1]
    g = (sum_x * aside[1] - aside[0] * sum_y) / area
    h = (ahead[0] * sum_y - sum_x * ahead[1]) / area
    unit = [[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1.0]]
    across, along = max(shape.width - 1, 1), max(shape.height - 1, 1)
    return torch.tensor([[row[0] / across, row[1] / along, row[2]] for row in unit], dtype=torch.float64)
