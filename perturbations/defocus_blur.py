"""Out of focus, as a lens is: every frame convolved with a disc."""

import math

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._kernel import convolve, kernel

SAMPLES = 8
LEAST = 0.57
"""Pixels of the smallest radius (own): no point of a disc below 0.566 lies beyond its own pixel."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The disc, its edge weighted by the share of each pixel that it covers; nothing is random."""
    return {"kernels": kernel(_disc(max(level * shape.height, LEAST)).to(torch.float32))[None]}


def draw_softened(level: float, softness: float, key: int, shape: ClipShape) -> Params:
    """The disc blurred by a Gaussian, both in fractions of the height; the smallest disc where that would blur more."""
    soft = _softened(_disc(max(level * shape.height, 0.5)), softness * shape.height)
    least = _disc(LEAST)
    chosen = min(soft, least, key=_kept)
    return {"kernels": kernel(chosen.to(torch.float32))[None]}


def _disc(radius: float) -> Float64[Tensor, "k k"]:
    """How many of 8 x 8 points of each pixel lie within a radius, in pixels."""
    reach = math.ceil(radius)
    steps = (torch.arange((2 * reach + 1) * SAMPLES, dtype=torch.float32) + 0.5) / SAMPLES - reach - 0.5
    inside = (steps.square()[:, None] + steps.square() <= radius * radius).to(torch.float64)
    return inside.view(2 * reach + 1, SAMPLES, 2 * reach + 1, SAMPLES).sum(dim=(1, 3))


def _softened(disc: Float64[Tensor, "k k"], sigma: float) -> Float64[Tensor, "n n"]:
    """A disc under a Gaussian taken at the centres of pixels, as ImageNet-C softens its own."""
    reach, side = math.ceil(3 * sigma), len(disc)
    away = torch.arange(side + 2 * reach, dtype=torch.float64)[:, None] - reach - torch.arange(side)
    weights = torch.exp(-(away / sigma).square() / 2)
    return weights @ disc @ weights.T


def _kept(disc: Float64[Tensor, "k k"]) -> float:
    """The share of a pixel that stays where it is."""
    centre = len(disc) // 2
    return float(disc[centre, centre] / disc.sum())


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The blurred frames."""
    return convolve(pixels, params["kernels"])


defocus_blur = Perturbation(
    title="Defocus blur",
    family="blur",
    unit="radius, fraction of the frame's height",
    levels=(1.5 / 112, 2 / 112, 3 / 112, 4 / 112, 5 / 112),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C defocus_blur (Hendrycks and Dietterich 2019), radii halved for half the resolution",
    draw=draw,
    apply=apply,
    keyed=False,
    second=SecondParameter("standard deviation of the edge's softening, fraction of the height", draw_softened),
)
