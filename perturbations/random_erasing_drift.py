"""Something passes before the face: one box that drifts across the clip."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._mask import Box, any_colour, box_of_area, cover, occluder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A box of the level's area that moves evenly from one place in the frame to another."""
    draws = Draws(key)
    start = box_of_area(level, shape, draws)
    top = draws.uniform(0, shape.height - start.height)
    left = draws.uniform(0, shape.width - start.width)
    boxes = []
    for moment in range(shape.frames):
        share = moment / max(shape.frames - 1, 1)
        place = start.top + share * (top - start.top), start.left + share * (left - start.left)
        boxes.append(Box(*place, start.height, start.width))
    return occluder(boxes, any_colour(draws))


random_erasing_drift = Perturbation(
    title="Random erasing, drifting",
    family="occlusion",
    unit="share of the frame's area",
    levels=(0.05, 0.1, 0.2, 0.3, 0.4),
    granularity="coherent",
    label_preserving="yes",
    source="Random Erasing (Zhong et al. 2020), moving; levels of the reference table",
    draw=draw,
    apply=cover,
)
