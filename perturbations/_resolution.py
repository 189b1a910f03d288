"""Fewer pixels: frames averaged down to a coarser 8-bit picture, and drawn up again.

Resampling is a weighted sum of lines along one axis, then along the other, with weights in 1/4096; what lies between
is rounded to quarters of an 8-bit step, so that the arithmetic is exact and alike on every device.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float32, Float64, Int32, Integer, Shaped, UInt8
from torch import Tensor
from torch.nn.functional import embedding_bag

from perturbations._contract import ClipShape, Params, SecondParameter
from perturbations._groups import by_value
from perturbations._pixels import WHOLE, within_pixels

HEIGHT = 112.0
"""Rows of the frames that the levels are written for, pixels."""
STEPS = 4096
SHARPNESS = -0.5
"""Keys's parameter of cubic convolution (1981), third order in the step."""


def smaller(factor: float, height: float, key: int, shape: ClipShape) -> Params:
    """Parameters of ``coarsen``: how many blocks of pixels a frame is averaged to; nothing is random.

    A block is 1 + factor/16 pixels at least (own) and the frame loses a row and a column, so that something is lost of
    small frames, too, and more at a higher factor.

    Args:
        factor: the side of a block in pixels of frames of ``height``, as many times more of higher ones.
        height: 0 where the factor is of the frame's own height, whatever it is; a part of a block is then none.
        key: of the clip.
        shape: of the clip.
    """
    block = max(factor * shape.height / (height or shape.height), min(factor, 1 + factor / 16))
    whole = round if height else _whole
    sides = (shape.height, shape.width)
    return {"host_size": torch.tensor([max(1, min(whole(side / block), side - 1)) for side in sides])}


def _whole(blocks: float) -> int:
    """Whole blocks; a quotient that rounding leaves just below a whole number is meant to be one."""
    return math.floor(blocks + 1e-9)


at_height = SecondParameter(unit="height of those frames in px, 0 for any", draw=smaller)
"""What published tables say that shrink frames of any size by their factor."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """As many rows as a frame of ``HEIGHT`` has after the level's factor."""
    return smaller(level, HEIGHT, key, shape)


def coarsen(
    pixels: UInt8[Tensor, "b t c h w"], params: Params, up: Literal["cubic", "blocks"]
) -> UInt8[Tensor, "b t c h w"]:
    """Every frame averaged down to its clip's ``host_size``, and drawn up again smoothly or in blocks."""
    return by_value(pixels, list(map(tuple, params["host_size"].tolist())), partial(_resampled, up=up))


def _resampled(
    clips: UInt8[Tensor, "b t c h w"], size: tuple[int, int], up: Literal["cubic", "blocks"]
) -> Integer[Tensor, "b t c h w"]:
    """Clips of one size in between; the low bytes are the values."""
    frames = clips.flatten(0, 1)
    enlarged = _smooth if up == "cubic" else _in_blocks
    return enlarged(_averaged(frames, *size), frames.shape).view(clips.shape)


def _averaged(frames: UInt8[Tensor, "t c h w"], height: int, width: int) -> Float32[Tensor, "t v l"]:
    """Frames of fewer rows and columns, of 8-bit values; columns come first, then the rows of all channels (``l``)."""
    rows = _quarters(_weighed(frames.to(torch.float32).flatten(0, 1), _averages, height))
    return _weighed(_turned(rows.view(len(frames), -1, frames.shape[3])), _averages, width).add_(WHOLE).sub_(WHOLE)


def _smooth(columns: Float32[Tensor, "t v l"], shape: torch.Size) -> Int32[Tensor, "n h w"]:
    """Full planes by cubic convolution; the low bytes are the values."""
    frames, channels, height, width = shape
    rows = _turned(_quarters(_weighed(columns, _cubics, width)))
    planes = _weighed(rows.view(frames * channels, -1, width), _cubics, height)
    return planes.clamp_(0, 255).add_(WHOLE).view(torch.int32)


def _in_blocks(columns: Float32[Tensor, "t v l"], shape: torch.Size) -> UInt8[Tensor, "n h w"]:
    """Full planes by repetition."""
    frames, channels, height, width = shape
    few = within_pixels(columns)
    rows = _turned(few.index_select(1, _blocks(few.shape[1], width, few.device)))
    planes = rows.view(frames * channels, -1, width)
    return planes.index_select(1, _blocks(planes.shape[1], height, few.device))


def _turned(frames: Shaped[Tensor, "t u v"]) -> Shaped[Tensor, "t v u"]:
    """Rows in place of columns. A copy frame by frame, which stays in cache."""
    return frames.transpose(1, 2).contiguous()


Weights = Callable[[int, int], Float64[Tensor, "u h"]]
"""From the numbers of given and of wanted lines to the share of each given line in each wanted one."""


class Taps(NamedTuple):
    """Weighted sums of lines: what is summed, where the sums begin, and the weights."""

    places: Int32[Tensor, " k"]
    starts: Int32[Tensor, " u"]
    weights: Float32[Tensor, " k"]


def _weighed(planes: Float32[Tensor, "n h w"], weights: Weights, few: int) -> Float32[Tensor, "n u w"]:
    """Lines of every plane resampled; only weights that are not zero cost anything."""
    number, many, width = planes.shape
    taps = _taps_on(planes.device, weights, many, few, number)
    lines = embedding_bag(taps.places, planes.flatten(0, 1), taps.starts, mode="sum", per_sample_weights=taps.weights)
    return lines.view(number, few, width)


def _quarters(values: Float32[Tensor, "n u w"]) -> Float32[Tensor, "n u w"]:
    """Values rounded to quarters, in place."""
    return values.add_(WHOLE / 4).sub_(WHOLE / 4)


@lru_cache(maxsize=64)
def _taps_on(device: torch.device, weights: Weights, many: int, few: int, planes: int) -> Taps:
    """The sums for each of several planes that lie one after the other, on a device, where they stay."""
    places, shares = (part.to(device) for part in _taps(weights, many, few))
    of_planes = torch.arange(planes, dtype=torch.int32, device=device)[:, None, None] * many + places
    starts = torch.arange(0, of_planes.numel(), places.shape[1], dtype=torch.int32, device=device)
    return Taps(of_planes.flatten(), starts, shares.repeat(planes, 1).flatten())


@lru_cache(maxsize=64)
def _taps(weights: Weights, many: int, few: int) -> tuple[Int32[Tensor, "u k"], Float32[Tensor, "u k"]]:
    """The lines that each sum is over, as many for each, and their weights."""
    steps = _dyadic(weights(many, few))
    most = int((steps != 0).sum(1).max())
    places = (steps == 0).to(torch.uint8).argsort(stable=True)[:, :most]
    return places.to(torch.int32), (steps.gather(1, places) / STEPS).to(torch.float32)


def _blocks(few: int, many: int, device: torch.device) -> Tensor:
    """The coarse pixel that each fine pixel's centre lies in."""
    return (2 * torch.arange(many, device=device) + 1) * few // (2 * many)


def _averages(many: int, few: int) -> Float64[Tensor, "u h"]:
    """Means over equal shares of a line, pixels at the borders weighted by their part."""
    edges = torch.arange(few + 1, dtype=torch.float64) * (many / few)
    fine = torch.arange(many, dtype=torch.float64)
    return (edges[1:, None].minimum(fine + 1) - edges[:-1, None].maximum(fine)).clamp(min=0)


def _cubics(few: int, many: int) -> Float64[Tensor, "u h"]:
    """Cubic convolution between the centres of coarse pixels, the first and last repeated beyond the ends."""
    centre = (torch.arange(many, dtype=torch.float64) + 0.5) * (few / many) - 0.5
    weights = torch.zeros(many, few, dtype=torch.float64)
    for offset in range(-1, 3):
        place = centre.floor() + offset
        share = _keys((centre - place).abs())
        weights.scatter_add_(1, place.clamp(0, few - 1).long()[:, None], share[:, None])
    return weights


def _keys(distance: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
    """The kernel of cubic convolution at distances up to 2."""
    near = ((SHARPNESS + 2) * distance - (SHARPNESS + 3)) * distance * distance + 1
    far = SHARPNESS * (((distance - 5) * distance + 8) * distance - 4)
    return torch.where(distance <= 1, near, far)


def _dyadic(weights: Float64[Tensor, "u h"]) -> Float64[Tensor, "u h"]:
    """Rows scaled to sum to ``STEPS`` in whole numbers; the largest weight of each takes what is left."""
    steps = (weights * (STEPS / weights.sum(1, keepdim=True))).round()
    return steps.scatter_add_(1, weights.argmax(1, keepdim=True), STEPS - steps.sum(1, keepdim=True))
