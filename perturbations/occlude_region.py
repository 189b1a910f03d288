"""One facial region out of five covered from its centre outwards."""

from perturbations._contract import ClipShape, Params
from perturbations._face import REGIONS, occlusion, part_of
from perturbations._mask import any_colour, occluder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Which region (eyes, mouth, lower face, left or right half), how much of it, and the colour."""
    draws = Draws(key)
    name = list(REGIONS)[draws.integer(len(REGIONS))]
    return occluder([part_of(name, level, shape)], any_colour(draws))


occlude_region = occlusion("Occluded facial region", draw, keyed=True)
