"""Soft focus: every frame convolved with a Gaussian."""

from jaxtyping import UInt8
from torch import Tensor

from perturbations._blur import blur, gaussian_kernel
from perturbations._contract import ClipShape, Params, Perturbation

LEAST = 0.5 * 48 / 112
"""Pixels of the smallest standard deviation, that of severity 1 at 48 px (own): a smaller one hardly reaches the next
pixel."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The kernel; nothing is random."""
    return {"kernel": gaussian_kernel(max(level * shape.height, LEAST))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The blurred frames."""
    return blur(pixels, params["kernel"])


gaussian_blur = Perturbation(
    title="Gaussian blur",
    family="blur",
    unit="standard deviation, fraction of the frame's height",
    levels=(0.5 / 112, 1 / 112, 1.5 / 112, 2 / 112, 3 / 112),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C gaussian_blur (Hendrycks and Dietterich 2019), halved for half the resolution: "
    "0.5, 1, 1.5, 2, 3 px at 112 px",
    draw=draw,
    apply=apply,
    keyed=False,
)
