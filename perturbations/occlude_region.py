"""One facial region out of five covered from its centre outwards."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._mask import REGIONS, any_colour, cover, occluder, part_of
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Which region (eyes, mouth, lower face, left or right half), how much of it, and the colour."""
    draws = Draws(key)
    region = list(REGIONS.values())[draws.integer(len(REGIONS))]
    return occluder([part_of(region, level, shape)], any_colour(draws))


occlude_region = Perturbation(
    title="Occluded facial region",
    family="occlusion",
    unit="share of the region's area that is covered",
    levels=(0.25, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="sunglasses and mask occlusions of face benchmarks, on the canonical places of aligned faces",
    draw=draw,
    apply=cover,
)
