"""An object in front of the face: one box, still over the clip."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._mask import any_colour, box_of_area, cover, occluder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A box of the level's area, of an aspect between 1:2 and 2:1, anywhere inside the frame, in any colour."""
    draws = Draws(key)
    return occluder([box_of_area(level, shape, draws)], any_colour(draws))


random_erasing = Perturbation(
    title="Random erasing",
    family="occlusion",
    unit="share of the frame's area",
    levels=(0.05, 0.1, 0.2, 0.3, 0.4),
    granularity="clip",
    label_preserving="yes",
    source="Random Erasing (Zhong et al. 2020); levels of the reference table",
    draw=draw,
    apply=cover,
    whole_batch=True,
)
