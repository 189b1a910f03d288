"""A face detector's box of the wrong size, off centre."""

import math

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._random import Draws
from perturbations._warp import similarity, warp

SHIFTS = (0.03, 0.06, 0.1, 0.15, 0.2)


def misaligned(title: str, sides: tuple[float, float, float, float, float]) -> Perturbation:
    """A crop by a box of a wrong side, shifted in a random direction; the edge is repeated beyond the frame.

    Args:
        title: of the perturbation.
        sides: of the box at severities 1 to 5, relative to the true one.
    """

    def draw(level: float, key: int, shape: ClipShape) -> Params:
        angle, shift = Draws(key).uniform(0, 2 * math.pi), along(level, sides, SHIFTS)
        right, down = shift * shape.width * math.cos(angle), shift * shape.height * math.sin(angle)
        return {"matrix": similarity(shape, 1 / level, 0.0, right, down)[None]}

    return Perturbation(
        title=title,
        family="geometry",
        unit="side of the box relative to the true one; shifted by 0.03, 0.06, 0.1, 0.15, 0.2 of the frame",
        levels=sides,
        granularity="clip",
        label_preserving="yes",
        source="own levels; translations of Schiappa et al. (2023) up to a fifth of the frame",
        draw=draw,
        apply=warp,
        whole_batch=True,
    )
