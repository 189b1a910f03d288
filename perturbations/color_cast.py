"""Wrong white balance: each channel raised or lowered."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """One channel shifted by the level in a random direction, the next by half of it in the other one."""
    draws = Draws(key)
    first, sign = draws.integer(3), draws.sign()
    shift = torch.zeros(3, dtype=torch.int16)
    shift[first] = sign * round(255 * level)
    shift[(first + 1) % 3] = -sign * round(255 * level / 2)
    return {"shift": shift}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Channels shifted, saturating."""
    return (pixels.to(torch.int16) + params["shift"][:, None, :, None, None]).clamp_(0, 255).to(torch.uint8)


color_cast = Perturbation(
    title="Colour cast",
    family="colour",
    unit="fraction of full scale added to one channel; half of it is taken from another",
    levels=(0.05, 0.1, 0.15, 0.2, 0.3),
    granularity="clip",
    label_preserving="yes",
    source="the operation of kornia's shift_rgb; levels of the reference table",
    draw=draw,
    apply=apply,
)
