"""Parts of a face, where they are in a crop, and perturbations that cover one of them."""

import math
from collections.abc import Callable
from typing import NamedTuple

from perturbations._contract import ClipShape, Landmarks, Params, Perturbation
from perturbations._mask import Box, cover, occluder

SHARES = (0.25, 0.4, 0.6, 0.8, 1.0)
SOURCE = "sunglasses and mask occlusions of face benchmarks, on the canonical places of aligned faces"
UNIT = "share of the region's area that is covered"
BLACK = (0, 0, 0)


class Region(NamedTuple):
    """A part of a face, in fractions of the frame; may reach beyond it."""

    top: float
    left: float
    height: float
    width: float


REGIONS = {
    "eyes": Region(0.2, 0.1, 0.25, 0.8),
    "mouth": Region(0.62, 0.25, 0.28, 0.5),
    "lower_face": Region(0.5, 0.0, 0.5, 1.0),
    "left": Region(0.0, 0.0, 1.0, 0.5),
    "right": Region(0.0, 0.5, 1.0, 0.5),
}
"""Canonical places in a face crop aligned by the eyes: eyes and brows for the upper-face action units, mouth and lower
face for the lower-face ones, halves for one-sided occlusion."""
EYES_APART = 0.36
"""The distance of the eyes in such a crop (own; it is 0.31 in ArcFace's looser template, Deng et al. 2019).
Regions about landmarks keep their canonical size relative to it."""


def region(name: str, landmarks: Landmarks | None) -> Region:
    """A region about the face's landmarks, or at its canonical place where they are not known."""
    if landmarks is None:
        return REGIONS[name]
    eyes = _middle(landmarks.left_eye, landmarks.right_eye)
    mouth = _middle(landmarks.left_mouth, landmarks.right_mouth)
    size = math.dist(landmarks.left_eye, landmarks.right_eye) / EYES_APART
    if name in {"eyes", "mouth"}:
        right, down = eyes if name == "eyes" else mouth
        height, width = REGIONS[name].height * size, REGIONS[name].width * size
        return Region(down - height / 2, right - width / 2, height, width)
    if name == "lower_face":
        return Region(landmarks.nose[1], 0.0, 1 - landmarks.nose[1], 1.0)
    middle = (eyes[0] + mouth[0]) / 2
    return Region(0.0, 0.0, 1.0, middle) if name == "left" else Region(0.0, middle, 1.0, 1 - middle)


def _middle(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def part_of(name: str, share: float, shape: ClipShape) -> Box:
    """The box about a region's centre that covers a share of its area."""
    whole, side = region(name, shape.landmarks), math.sqrt(share)
    top = whole.top + whole.height * (1 - side) / 2
    left = whole.left + whole.width * (1 - side) / 2
    return Box(
        top * shape.height, left * shape.width, whole.height * side * shape.height, whole.width * side * shape.width
    )


def covered(name: str, title: str) -> Perturbation:
    """A region covered in black from its centre outwards, in all frames; nothing is random.

    Args:
        name: of the region.
        title: of the perturbation.
    """

    def draw(level: float, key: int, shape: ClipShape) -> Params:
        return occluder([part_of(name, level, shape)], BLACK)

    return occlusion(title, draw, keyed=False)


def occlusion(title: str, draw: Callable[[float, int, ClipShape], Params], *, keyed: bool) -> Perturbation:
    """A perturbation that covers the part of a region that ``draw`` gives, at the shares of all regions.

    Args:
        title: of the perturbation.
        draw: level, key and shape to the cover's parameters.
        keyed: whether that depends on the key.
    """
    return Perturbation(
        title=title,
        family="occlusion",
        unit=UNIT,
        levels=SHARES,
        granularity="clip",
        label_preserving="yes",
        source=SOURCE,
        draw=draw,
        apply=cover,
        whole_batch=True,
        keyed=keyed,
    )
