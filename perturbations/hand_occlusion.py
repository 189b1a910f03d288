"""A hand crosses the face: a skin-coloured ellipse moves through the frame."""

import math

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._donors import SKIN
from perturbations._mask import Box, cover_ellipse, occluder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """An ellipse of the level's area that crosses the middle of the frame within the clip, from a random side."""
    draws = Draws(key)
    angle = draws.uniform(0, 2 * math.pi)
    height = 2 * math.sqrt(1.5 * level * shape.height * shape.width / math.pi)
    width = height / 1.5
    boxes = []
    for moment in range(shape.frames):
        away = 1 - 2 * (moment + 0.5) / shape.frames
        down = shape.height * (0.55 + 0.6 * away * math.sin(angle))
        right = shape.width * (0.5 + 0.6 * away * math.cos(angle))
        boxes.append(Box(down - height / 2, right - width / 2, height, width))
    return occluder(boxes, SKIN[draws.integer(len(SKIN))])


hand_occlusion = Perturbation(
    title="Hand occlusion",
    family="occlusion",
    unit="area of the ellipse, share of the frame's",
    levels=(0.05, 0.1, 0.15, 0.2, 0.3),
    granularity="coherent",
    label_preserving="yes",
    source="own; possible for video only",
    draw=draw,
    apply=cover_ellipse,
)
