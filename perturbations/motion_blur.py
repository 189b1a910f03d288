"""Camera motion during exposure: every frame smeared along one line."""

from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._kernel import LEAST_LENGTH, convolve, line, trail
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A line of the level's length in a random direction."""
    return {"kernels": line(max(level * shape.height, LEAST_LENGTH), Draws(key).uniform(0, 180))[None]}


def draw_fading(level: float, sigma: float, key: int, shape: ClipShape) -> Params:
    """The smear of ImageNet-C: it fades to one side, in a direction within 45 degrees of the right."""
    return {"kernels": trail(level * shape.height, sigma * shape.height, Draws(key).uniform(-45, 45))[None]}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The blurred frames."""
    return convolve(pixels, params["kernels"])


motion_blur = Perturbation(
    title="Motion blur",
    family="blur",
    unit="length of the smear, fraction of the frame's height",
    levels=(0.045, 0.06, 0.08, 0.1, 0.13),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C motion_blur and 3D Common Corruptions xy motion, 5 to 15 px at 112 px",
    draw=draw,
    apply=apply,
    second=SecondParameter("standard deviation as it fades to one side, fraction of the height", draw_fading),
)
