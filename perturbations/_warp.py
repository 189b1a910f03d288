"""Geometry in integers: positions and bilinear weights in 1/64 pixel, so every device agrees in every bit.

A warp is told by the map from output to input pixels. Beyond the frame the edge is repeated.
"""

import math

import torch
from jaxtyping import Float64, Int16, Int32, Shaped, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params

GRID = 64
"""Positions a pixel; 64 let 16-bit arithmetic carry the interpolation."""


def similarity(shape: ClipShape, scale: float, degrees: float, right: float, down: float) -> Float64[Tensor, "3 3"]:
    """Content scaled and turned (counter-clockwise) about the frame's centre, then shifted by pixels.

    kornia's ``RandomAffine`` and ``RandomRotation`` turn in opposite directions; here positive is what a viewer
    sees as counter-clockwise.
    """
    cosine, sine = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    middle_x, middle_y = (shape.width - 1) / 2, (shape.height - 1) / 2
    from_x, from_y = middle_x + right, middle_y + down
    return torch.tensor(
        [
            [cosine, -sine, middle_x - cosine * from_x + sine * from_y],
            [sine, cosine, middle_y - sine * from_x - cosine * from_y],
            [0.0, 0.0, 1.0],
        ],
        dtype=torch.float64,
    )


def warp(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Frames seen through ``matrix`` (``b f 3 3``): one map for the clip (``f`` 1) or one for each frame."""
    height, width = pixels.shape[-2:]
    right, down = _positions(params["matrix"], height, width)
    return sample(pixels, right, down)


def sample(
    pixels: UInt8[Tensor, "b t c h w"], right: Int32[Tensor, "b f h w"], down: Int32[Tensor, "b f h w"]
) -> UInt8[Tensor, "b t c h w"]:
    """Bilinear interpolation at positions in 1/64 pixel, which are held inside the frame."""
    batch, frames, channels, height, width = pixels.shape
    right, down = right.clamp(0, GRID * (width - 1)), down.clamp(0, GRID * (height - 1))
    column, row = right // GRID, down // GRID
    planes = torch.arange(batch * frames * channels, dtype=torch.int32, device=pixels.device) * (height * width)
    base = planes.view(batch, frames, channels, 1, 1)
    pairs = _pairs(pixels).flatten()

    def between_columns(rows: Int32[Tensor, "b f h w"]) -> Int16[Tensor, "b t c h w"]:
        index = base + (rows * width + column)[:, :, None]
        both = pairs.index_select(0, index.flatten()).view(pixels.shape)
        # halves of an 8-bit step are kept, which is what fits 16 bits in the interpolation between rows
        return (
            _between(both & 255, both.bitwise_right_shift_(8).bitwise_and_(255), share_x)
            .add_(16)
            .bitwise_right_shift_(5)
        )

    share_x = (right % GRID).to(torch.int16)[:, :, None]
    share_y = (down % GRID).to(torch.int16)[:, :, None]
    top, bottom = between_columns(row), between_columns((row + 1).clamp_(max=height - 1))
    return _between(top, bottom, share_y).add_(64).bitwise_right_shift_(7).to(torch.uint8)


def _pairs(pixels: UInt8[Tensor, "b t c h w"]) -> Int16[Tensor, "b t c h w"]:
    """Each pixel and its neighbour to the right in one word, so that one look-up gets both."""
    values = pixels.to(torch.int16)
    pairs = values.clone()
    pairs[..., :-1].add_(values[..., 1:], alpha=256)
    pairs[..., -1:].add_(values[..., -1:], alpha=256)
    return pairs


def _between(
    one: Int16[Tensor, "b t c h w"], other: Int16[Tensor, "b t c h w"], share: Int16[Tensor, "b f 1 h w"]
) -> Int16[Tensor, "b t c h w"]:
    """64 times the mixture of two values by a share in 1/64, in place; fits 16 bits for values up to 510."""
    return other.sub_(one).mul_(share).add_(one, alpha=GRID)


def _positions(
    matrix: Float64[Tensor, "b f 3 3"], height: int, width: int
) -> tuple[Shaped[Tensor, "b f h w"], Shaped[Tensor, "b f h w"]]:
    """Where each output pixel looks, in 1/64 pixel; products and sums of doubles are alike on every device."""
    x = torch.arange(width, dtype=torch.float64, device=matrix.device)
    y = torch.arange(height, dtype=torch.float64, device=matrix.device)[:, None]
    entries = matrix[..., None, None]
    rows = [entries[:, :, row, 0] * x + (entries[:, :, row, 1] * y + entries[:, :, row, 2]) for row in range(3)]
    return _fixed(rows[0] / rows[2]), _fixed(rows[1] / rows[2])


def _fixed(position: Float64[Tensor, "b f h w"]) -> Int32[Tensor, "b f h w"]:
    return position.mul_(GRID).round_().clamp_(-(2.0**30), 2.0**30).to(torch.int32)


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
