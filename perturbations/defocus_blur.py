"""Out of focus, as a lens is: every frame convolved with a disc."""

import math

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._kernel import convolve, kernel

SAMPLES = 8


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The disc, its edge weighted by the share of each pixel that it covers; nothing is random."""
    radius = level * shape.height
    reach = math.ceil(radius)
    steps = (torch.arange((2 * reach + 1) * SAMPLES, dtype=torch.float32) + 0.5) / SAMPLES - reach - 0.5
    inside = (steps.square()[:, None] + steps.square() <= radius * radius).to(torch.float32)
    share = inside.view(2 * reach + 1, SAMPLES, 2 * reach + 1, SAMPLES).sum(dim=(1, 3))
    return {"kernels": kernel(share)[None]}


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
)
