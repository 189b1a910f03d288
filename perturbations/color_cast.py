"""Wrong white balance: one channel raised or lowered, another the opposite way."""

import torch

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._tone import shift


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """One channel shifted by the level in a random direction, the next by half of it in the other one."""
    draws = Draws(key)
    first, sign = draws.integer(3), draws.sign()
    offset = torch.zeros(3, dtype=torch.int16)
    offset[first] = sign * round(255 * level)
    offset[(first + 1) % 3] = -sign * round(255 * level / 2)
    return {"offset": offset}


color_cast = Perturbation(
    title="Colour cast",
    family="colour",
    unit="fraction of full scale added to one channel; half of it is taken from another",
    levels=(0.05, 0.1, 0.15, 0.2, 0.3),
    granularity="clip",
    label_preserving="yes",
    source="the operation of kornia's shift_rgb; levels of the reference table",
    draw=draw,
    apply=shift,
    whole_batch=True,
)
