"""Fewer pixels: frames averaged down to a coarser 8-bit picture, and drawn up again.

Resampling is a weighted sum of lines along one axis, then along the other, with weights in 1/4096; what lies between
is rounded to quarters of an 8-bit step, so that the arithmetic is exact and alike on every device.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float32, Float64, Int32, UInt8
from torch import Tensor
from torch.nn.functional import embedding_bag

from perturbations._contract import ClipShape, Params
from perturbations._pixels import WHOLE, within_pixels

STEPS = 4096
SHARPNESS = -0.5
"""Keys's parameter of cubic convolution (1981), third order in the step."""


def smaller(factor: float, shape: ClipShape) -> Params:
    """Parameters of ``coarsen``: the frame's size divided by a factor."""
    return {"size": torch.tensor([max(1, round(shape.height / factor)), max(1, round(shape.width / factor))])}


def coarsen(
    pixels: UInt8[Tensor, "b t c h w"], params: Params, up: Literal["cubic", "blocks"]
) -> UInt8[Tensor, "b t c h w"]:
    """Every frame averaged down to its clip's ``size``, and drawn up again smoothly or in blocks."""
    spoilt = torch.empty_like(pixels)
    enlarged = _smooth if up == "cubic" else _in_blocks
    for into, clip, size in zip(spoilt.flatten(1, 2), pixels.flatten(1, 2), params["size"].tolist(), strict=True):
        into.copy_(enlarged(_averaged(clip, *size), *clip.shape[1:]).transpose(0, 1))
    return spoilt


def _averaged(planes: UInt8[Tensor, "n h w"], height: int, width: int) -> Float32[Tensor, "v n u"]:
    """Planes of fewer rows (``u``) and columns (``v``), of 8-bit values; columns come first, then planes."""
    lines = planes.transpose(0, 1).to(torch.float32, memory_format=torch.contiguous_format)
    lines = _quarters(_weighed(lines, _averages(planes.shape[1], height)))
    lines = _weighed(lines.transpose(0, 2).contiguous(), _averages(planes.shape[2], width))
    return lines.add_(WHOLE).sub_(WHOLE)


def _smooth(columns: Float32[Tensor, "v n u"], height: int, width: int) -> Int32[Tensor, "h n w"]:
    """Full planes by cubic convolution, a row of all planes after the other; the low bytes are the values."""
    lines = _quarters(_weighed(columns, _cubics(columns.shape[0], width)))
    lines = _weighed(lines.transpose(0, 2).contiguous(), _cubics(columns.shape[2], height))
    return lines.clamp_(0, 255).add_(WHOLE).view(torch.int32)


def _in_blocks(columns: Float32[Tensor, "v n u"], height: int, width: int) -> UInt8[Tensor, "h n w"]:
    """Full planes by repetition, a row of all planes after the other."""
    few = within_pixels(columns)
    lines = few.index_select(0, _blocks(few.shape[0], width, few.device)).transpose(0, 2).contiguous()
    return lines.index_select(0, _blocks(few.shape[2], height, few.device))


class Taps(NamedTuple):
    """Resampling along one axis: for each output the inputs that it is made of, and their weights."""

    places: Int32[Tensor, "u k"]
    weights: Float32[Tensor, "u k"]


def _weighed(lines: Float32[Tensor, "h n w"], taps: Taps) -> Float32[Tensor, "u n w"]:
    """Weighted sums of whole lines; only weights that are not zero cost anything."""
    places, weights = (part.to(lines.device) for part in taps)
    return embedding_bag(places, lines.flatten(1), mode="sum", per_sample_weights=weights).view(-1, *lines.shape[1:])


def _quarters(values: Float32[Tensor, "u n w"]) -> Float32[Tensor, "u n w"]:
    """Values rounded to quarters, in place."""
    return values.add_(WHOLE / 4).sub_(WHOLE / 4)


def _blocks(few: int, many: int, device: torch.device) -> Tensor:
    """The coarse pixel that each fine pixel's centre lies in."""
    return (2 * torch.arange(many, device=device) + 1) * few // (2 * many)


@lru_cache(maxsize=64)
def _averages(many: int, few: int) -> Taps:
    """Means over equal shares of a line, pixels at the borders weighted by their part."""
    edges = torch.arange(few + 1, dtype=torch.float64) * (many / few)
    fine = torch.arange(many, dtype=torch.float64)
    return _dyadic((edges[1:, None].minimum(fine + 1) - edges[:-1, None].maximum(fine)).clamp(min=0))


@lru_cache(maxsize=64)
def _cubics(few: int, many: int) -> Taps:
    """Cubic convolution between the centres of coarse pixels, the first and last repeated beyond the ends."""
    centre = (torch.arange(many, dtype=torch.float64) + 0.5) * (few / many) - 0.5
    weights = torch.zeros(many, few, dtype=torch.float64)
    for offset in range(-1, 3):
        place = centre.floor() + offset
        share = _keys((centre - place).abs())
        weights.scatter_add_(1, place.clamp(0, few - 1).long()[:, None], share[:, None])
    return _dyadic(weights)


def _keys(distance: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
    """The kernel of cubic convolution at distances up to 2."""
    near = ((SHARPNESS + 2) * distance - (SHARPNESS + 3)) * distance * distance + 1
    far = SHARPNESS * (((distance - 5) * distance + 8) * distance - 4)
    return torch.where(distance <= 1, near, far)


def _dyadic(weights: Float64[Tensor, "u h"]) -> Taps:
    """Rows scaled to sum to one in multiples of 1/4096; the largest weight of each takes what is left."""
    steps = (weights * (STEPS / weights.sum(1, keepdim=True))).round()
    largest = weights.argmax(1, keepdim=True)
    steps.scatter_add_(1, largest, STEPS - steps.sum(1, keepdim=True))
    most = int((steps != 0).sum(1).max())
    places = (steps == 0).to(torch.uint8).argsort(stable=True)[:, :most]
    return Taps(places.to(torch.int32), (steps.gather(1, places) / STEPS).to(torch.float32))
