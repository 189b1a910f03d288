"""A window on one side: light falls off linearly across the face."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import to_pixels
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The strength and, of the four sides, the one that the light comes from."""
    ramp_x = torch.linspace(1, -1, shape.width, dtype=torch.float64)
    ramp_y = torch.linspace(1, -1, shape.height, dtype=torch.float64)[:, None]
    side = Draws(key).integer(4)
    light = (1 - 2 * (side % 2)) * (ramp_x.expand(shape.height, -1) if side < 2 else ramp_y.expand(-1, shape.width))
    return {"gain": (1 + level * light).to(torch.float32)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame multiplied by the same field of light."""
    return to_pixels(pixels * params["gain"][:, None, None])


side_light = Perturbation(
    title="Side light",
    family="illumination",
    unit="gain from 1 + level at the lit side to 1 - level at the far one",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="kornia RandomLinearIllumination's idea, as a gain; levels of the reference table",
    draw=draw,
    apply=apply,
)
