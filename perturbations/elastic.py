"""Soft distortion: the picture drawn on rubber that is pulled here and pushed there."""

from functools import lru_cache

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar
from perturbations._random import bits16
from perturbations._warp import GRID, sample

CELLS = 3
"""Of the field along each side. At severity 5 the ends of a brow move apart in height by 0.01 of the frame's (standard
deviation), a third of what a full brow lowerer (AU 4) does in the embedded data set's faces; finer fields frown as much
at a fraction of the displacement.
"""
SPREAD = 2**15 / 3**0.5
"""The standard deviation of 16 random bits."""
DAMPING = 23 / 48
"""Root mean square of a smooth field between independent values of variance one, along both sides."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The field's key, and its strength in 1/64 pixel for each bit."""
    return {"key": torch.tensor(key), "strength": scalar(level * shape.height * GRID / (SPREAD * DAMPING)).double()}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Frames seen through one displacement field, smooth over a third of the frame."""
    height, width = pixels.shape[-2:]
    coarse = bits16(params["key"], 0, (2, CELLS + 3, CELLS + 3)).to(torch.float64)
    # whole numbers times 1/4096 times 1/4096: doubles hold the sums exactly, in any order
    fine = _spline(height, coarse.device) @ coarse @ _spline(width, coarse.device).T
    moved = (fine * params["strength"].view(-1, 1, 1, 1)).round_().to(torch.int32)
    right = moved[:, :1] + GRID * torch.arange(width, dtype=torch.int32, device=moved.device)
    down = moved[:, 1:] + GRID * torch.arange(height, dtype=torch.int32, device=moved.device)[:, None]
    return sample(pixels, right, down)


@lru_cache(maxsize=16)
def _spline(size: int, device: torch.device) -> Float64[Tensor, "h g"]:
    """Uniform cubic B-spline weights of the grid's values along one side, in 1/4096."""
    place = (torch.arange(size, dtype=torch.float64) + 0.5) * (CELLS / size)
    cell, part = place.floor().long(), place - place.floor()
    shares = torch.stack(
        [
            (1 - part) ** 3,
            3 * part**3 - 6 * part**2 + 4,
            -3 * part**3 + 3 * part**2 + 3 * part + 1,
            part**3,
        ],
        1,
    )
    weights = torch.zeros(size, CELLS + 3, dtype=torch.float64)
    weights.scatter_(1, cell[:, None] + torch.arange(4), (shares * (4096 / 6)).round() / 4096)
    return weights.to(device)


elastic = Perturbation(
    title="Elastic distortion",
    family="geometry",
    unit="root mean square displacement along each axis, fraction of the frame's height",
    levels=(0.004, 0.008, 0.012, 0.016, 0.02),
    granularity="clip",
    label_preserving="yes",
    source="elastic distortions of Simard et al. (2003), as in ImageNet-C elastic_transform; levels own",
    draw=draw,
    apply=apply,
    whole_batch=True,
)
