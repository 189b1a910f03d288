"""Geometry in integers: positions in 1/256 pixel, bilinear weights in 1/65536, so every device agrees in every bit.

A warp is told by the map from output to input pixels. Beyond the frame the edge is repeated.
"""

import math

import torch
from jaxtyping import Float64, Int32, Shaped, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params


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
    """Bilinear interpolation at positions in 1/256 pixel, which are held inside the frame."""
    batch, frames, channels, height, width = pixels.shape
    right, down = right.clamp(0, 256 * (width - 1)), down.clamp(0, 256 * (height - 1))
    x, y = right >> 8, down >> 8
    beside, below = (x + 1).clamp_(max=width - 1), (y + 1).clamp_(max=height - 1)
    planes = torch.arange(batch * frames * channels, dtype=torch.int32, device=pixels.device) * (height * width)
    base = planes.view(batch, frames, channels, 1, 1)
    source = pixels.to(torch.int16).flatten()

    def tap(row: Int32[Tensor, "b f h w"], column: Int32[Tensor, "b f h w"]) -> Int32[Tensor, "b t c h w"]:
        index = (row * width + column)[:, :, None] + base
        return source.index_select(0, index.flatten()).view(pixels.shape).to(torch.int32)

    share_x, share_y = (right & 255)[:, :, None], (down & 255)[:, :, None]
    top = _between(tap(y, x), tap(y, beside), share_x)
    bottom = _between(tap(below, x), tap(below, beside), share_x)
    return ((_between(top, bottom, share_y) + (1 << 15)) >> 16).to(torch.int16).to(torch.uint8)


def _between(
    one: Int32[Tensor, "b t c h w"], other: Int32[Tensor, "b t c h w"], share: Int32[Tensor, "b f 1 h w"]
) -> Int32[Tensor, "b t c h w"]:
    """256 times the mixture of two values by a share in 1/256."""
    return (other - one).mul_(share).add_(one << 8)


def _positions(
    matrix: Float64[Tensor, "b f 3 3"], height: int, width: int
) -> tuple[Shaped[Tensor, "b f h w"], Shaped[Tensor, "b f h w"]]:
    """Where each output pixel looks, in 1/256 pixel; products and sums of doubles are alike on every device."""
    x = torch.arange(width, dtype=torch.float64, device=matrix.device)
    y = torch.arange(height, dtype=torch.float64, device=matrix.device)[:, None]
    entries = matrix[..., None, None]
    rows = [entries[:, :, row, 0] * x + (entries[:, :, row, 1] * y + entries[:, :, row, 2]) for row in range(3)]
    return _fixed(rows[0] / rows[2]), _fixed(rows[1] / rows[2])


def _fixed(position: Float64[Tensor, "b f h w"]) -> Int32[Tensor, "b f h w"]:
    return position.mul_(256).round_().clamp_(-(2.0**30), 2.0**30).to(torch.int32)


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
