"""Blurs with small, mostly empty two-dimensional kernels, exact as the separable ones are.

Weights are multiples of 1/4096 that sum to one, so that sums of 8-bit values carry no rounding before the last.
"""

import math

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor
from torch.nn.functional import conv2d, pad

from perturbations._pixels import to_pixels
from perturbations._precision import full_precision

STEPS = 4096
SAMPLES = 256
LEAST_LENGTH = 1.6
"""Pixels of the shortest smear (own): one below 1.42 may end within its own pixel."""
LEAST_SIGMA = 0.4
"""Pixels of the least standard deviation of a smear to one side (own): the next pixel gets 4 percent."""


def kernel(weights: Float32[Tensor, "k k"]) -> Float32[Tensor, "k k"]:
    """Weights scaled to sum to one in multiples of 1/4096; the centre takes what is left."""
    steps = (weights * (STEPS / weights.sum())).round()
    centre = len(weights) // 2
    steps[centre, centre] += STEPS - steps.sum()
    return steps / STEPS


def convolve(pixels: UInt8[Tensor, "b t c h w"], kernels: Float32[Tensor, "b f k k"]) -> UInt8[Tensor, "b t c h w"]:
    """Every frame convolved with its clip's kernel (``f`` 1) or with its own (``f`` = t), edges mirrored."""
    planes = _mirrored(pixels.flatten(0, 2).to(torch.float32), kernels.shape[-1] // 2)
    values = planes.view(*pixels.shape[:3], *planes.shape[1:])
    if pixels.device.type != "cpu":
        return _grouped(values, kernels, pixels)
    spoilt = torch.zeros(pixels.shape, dtype=torch.float32)
    frames = pixels.shape[1] // kernels.shape[1]
    for clip, of_clip in enumerate(kernels):
        for part, weights in enumerate(of_clip):
            moments = slice(part * frames, (part + 1) * frames)
            _taps(values[clip, moments], weights, spoilt[clip, moments])
    return to_pixels(spoilt)


def _taps(
    values: Float32[Tensor, "t c u v"], weights: Float32[Tensor, "k k"], into: Float32[Tensor, "t c h w"]
) -> None:
    """The sum of shifted frames, one for each weight that is not zero."""
    height, width = into.shape[-2:]
    for down, right in weights.nonzero().tolist():
        shifted = values[..., down : down + height, right : right + width]
        into.add_(shifted, alpha=float(weights[down, right]))


def _grouped(
    values: Float32[Tensor, "b t c u v"], kernels: Float32[Tensor, "b f k k"], pixels: UInt8[Tensor, "b t c h w"]
) -> UInt8[Tensor, "b t c h w"]:
    """The same as one convolution with a group for each plane, in full float32 precision."""
    planes = kernels.expand(-1, pixels.shape[1], -1, -1).repeat_interleave(pixels.shape[2], 1).flatten(0, 1)
    with full_precision(values):
        blurred = conv2d(values.flatten(0, 2)[None], planes[:, None], groups=len(planes))
    return to_pixels(blurred).view(pixels.shape)


def _mirrored(values: Float32[Tensor, "n h w"], radius: int) -> Float32[Tensor, "n u v"]:
    """Planes continued by reflection, as often as it takes."""
    while radius:
        step = min(radius, values.shape[-1] - 1, values.shape[-2] - 1)
        values = pad(values, (step, step, step, step), mode="reflect")
        radius -= step
    return values


def line(length: float, degrees: float, reach: int | None = None) -> Float32[Tensor, "k k"]:
    """The kernel of an even smear along a line through the centre.

    Args:
        length: in pixels; the smear covers this distance.
        degrees: direction, counter-clockwise from the right.
        reach: half the kernel's side, if it must be larger than the line needs.
    """
    radius = max(1, math.ceil(length / 2) if reach is None else reach)
    samples = (torch.arange(SAMPLES, dtype=torch.float64) + 0.5) / SAMPLES - 0.5
    return _along(samples * length, torch.ones_like(samples), degrees, radius)


def trail(length: float, sigma: float, degrees: float) -> Float32[Tensor, "k k"]:
    """The kernel of a smear to one side, fading as a Gaussian does; it shifts what it blurs.

    A point a pixel, as ImageMagick takes them.

    Args:
        length: in pixels; there the Gaussian is cut, if not at four standard deviations.
        sigma: its standard deviation in pixels; at least ``LEAST_SIGMA`` is taken.
        degrees: direction, counter-clockwise from the right.
    """
    sigma = max(sigma, LEAST_SIGMA)
    far = max(1, round(min(length, 4 * sigma)))
    places = torch.arange(far + 1, dtype=torch.float64)
    return _along(places, torch.exp(-(places / sigma).square() / 2), degrees, far)


def _along(
    places: Float64[Tensor, " n"], weights: Float64[Tensor, " n"], degrees: float, radius: int
) -> Float32[Tensor, "k k"]:
    """The kernel of weighted points on a line through the centre, at distances in pixels."""
    right = places * math.cos(math.radians(degrees)) + radius
    down = places * -math.sin(math.radians(degrees)) + radius
    side = 2 * radius + 1
    total = torch.zeros(side * side, dtype=torch.float64)
    total.index_add_(0, down.round().long() * side + right.round().long(), weights)
    return kernel(total.view(side, side).to(torch.float32))
