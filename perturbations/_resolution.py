"""Fewer pixels: frames averaged down to a coarser 8-bit picture, and drawn up again.

Resampling is two products with small matrices of weights in 1/4096; what lies between them is rounded to quarters of an
8-bit step, so that the arithmetic is exact and alike on every device.
"""

from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params
from perturbations._pixels import to_pixels

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
    spoilt = []
    for clip, (height, width) in zip(pixels.flatten(1, 2), params["size"].tolist(), strict=True):
        full = clip.shape[-2:]
        small = _resampled(clip, _averages(full[0], height), _averages(full[1], width))
        if up == "blocks":
            rows, columns = _blocks(height, full[0], clip.device), _blocks(width, full[1], clip.device)
            spoilt.append(small.index_select(2, columns).index_select(1, rows))
        else:
            spoilt.append(_resampled(small, _cubics(height, full[0]), _cubics(width, full[1])))
    return torch.stack(spoilt).view(pixels.shape)


def _resampled(
    planes: UInt8[Tensor, "n h w"], rows: Float32[Tensor, "u h"], columns: Float32[Tensor, "v w"]
) -> UInt8[Tensor, "n u v"]:
    # one product of tall matrices along each axis in turn is faster than one small product for each plane
    across = planes.to(torch.float32) @ columns.to(planes.device).T
    turned = across.mul_(4).round_().div_(4).transpose(1, 2).contiguous()
    return to_pixels((turned @ rows.to(planes.device).T).transpose(1, 2).contiguous())


def _blocks(few: int, many: int, device: torch.device) -> Tensor:
    """The coarse pixel that each fine pixel's centre lies in."""
    return (2 * torch.arange(many, device=device) + 1) * few // (2 * many)


@lru_cache(maxsize=64)
def _averages(many: int, few: int) -> Float32[Tensor, "few many"]:
    """Means over equal shares of a line, pixels at the borders weighted by their part."""
    edges = torch.arange(few + 1, dtype=torch.float64) * (many / few)
    fine = torch.arange(many, dtype=torch.float64)
    return _dyadic((edges[1:, None].minimum(fine + 1) - edges[:-1, None].maximum(fine)).clamp(min=0))


@lru_cache(maxsize=64)
def _cubics(few: int, many: int) -> Float32[Tensor, "many few"]:
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


def _dyadic(weights: Float64[Tensor, "u h"]) -> Float32[Tensor, "u h"]:
    """Rows scaled to sum to one in multiples of 1/4096; the largest weight of each takes what is left."""
    steps = (weights * (STEPS / weights.sum(1, keepdim=True))).round()
    largest = weights.argmax(1, keepdim=True)
    steps.scatter_add_(1, largest, STEPS - steps.sum(1, keepdim=True))
    return (steps / STEPS).to(torch.float32)
