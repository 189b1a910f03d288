"""A detector's box too small and off centre: the frame shows less than the face."""

import math

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._random import Draws
from perturbations._warp import similarity, warp

SIDES = (0.9, 0.8, 0.7, 0.6, 0.5)
SHIFTS = (0.03, 0.06, 0.1, 0.15, 0.2)


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The scale, and a shift of the box in a random direction."""
    angle, shift = Draws(key).uniform(0, 2 * math.pi), along(level, SIDES, SHIFTS)
    right, down = shift * shape.width * math.cos(angle), shift * shape.height * math.sin(angle)
    return {"matrix": similarity(shape, 1 / level, 0.0, right, down)[None]}


misaligned_crop = Perturbation(
    title="Misaligned crop, tight",
    family="geometry",
    unit="side of the box relative to the true one; shifted by 0.03, 0.06, 0.1, 0.15, 0.2 of the frame",
    levels=SIDES,
    granularity="clip",
    label_preserving="yes",
    source="own levels; translations of Schiappa et al. (2023) up to a fifth of the frame",
    draw=draw,
    apply=warp,
    whole_batch=True,
)
