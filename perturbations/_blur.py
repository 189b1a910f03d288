"""Separable symmetric blurs in exact arithmetic: the same bits on every device, thread count and batch size.

Kernel weights are multiples of 1/4096 that sum to one, and the first pass is rounded to quarters of an 8-bit step, so
every product and every partial sum is a float32 number without rounding, whatever the order of summation. The largest
error against real arithmetic is about a quarter of an 8-bit step.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn.functional import conv2d

from perturbations._pixels import WHOLE, to_pixels
from perturbations._precision import full_precision

STEPS = 4096


def gaussian_kernel(sigma: float) -> Float32[Tensor, " r"]:
    """A Gaussian's share of each pixel from the centre outwards, cut at three standard deviations (sigma in pixels).

    Integrated over pixels, not sampled at their centres, so that it still blurs where sigma is below half a pixel.
    """
    radius = max(1, math.ceil(3 * sigma))
    below = [math.erf((offset + 0.5) / (sigma * math.sqrt(2))) for offset in range(-1, radius + 1)]
    return half_kernel([above - here for here, above in pairwise(below)])


def half_kernel(weights: Sequence[float]) -> Float32[Tensor, " r"]:
    """Weights from the centre outwards, scaled to sum to one in multiples of 1/4096; the centre takes what is left."""
    total = weights[0] + 2 * sum(weights[1:])
    outer = [round(STEPS * weight / total) for weight in weights[1:]]
    return torch.tensor([STEPS - 2 * sum(outer), *outer], dtype=torch.float32) / STEPS


def blur(pixels: UInt8[Tensor, "b t c h w"], kernel: Float32[Tensor, "b r"]) -> UInt8[Tensor, "b t c h w"]:
    """Every frame convolved with each clip's symmetric kernel along rows and columns, edges mirrored."""
    rows = _pass(pixels.flatten(1, 2).to(torch.float32), kernel, dim=3)
    return to_pixels(_pass(rows.add_(WHOLE / 4).sub_(WHOLE / 4), kernel, dim=2)).view(pixels.shape)


def _pass(values: Float32[Tensor, "b n h w"], kernel: Float32[Tensor, "b r"], dim: int) -> Float32[Tensor, "b n h w"]:
    """One convolution along ``dim``, with a group for each plane, which is the fastest way on the CPU."""
    whole = torch.cat([kernel[:, 1:].flip(1), kernel], 1).repeat_interleave(values.shape[1], 0)
    weight = whole[:, None, None] if dim == 3 else whole[:, None, :, None]
    padded = mirror(values, kernel.shape[1] - 1, dim).flatten(0, 1)[None]
    with full_precision(values):
        return conv2d(padded, weight, groups=len(whole)).view(values.shape)


def mirror(values: Float32[Tensor, "b n h w"], radius: int, dim: int) -> Float32[Tensor, "b n u v"]:
    """Rows (``dim`` 3) or columns (2) continued on both sides by reflection, as often as it takes."""
    while radius:
        size = values.shape[dim]
        step = min(radius, size - 1)
        before, after = values.narrow(dim, 1, step).flip(dim), values.narrow(dim, size - 1 - step, step).flip(dim)
        values = torch.cat([before, values, after], dim)
        radius -= step
    return values
