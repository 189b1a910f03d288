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
EYES_TO_MOUTH = 0.435
"""The distance from between the eyes to the middle of the mouth there, from the middle of one region to the other's."""
LEAST = 0.05
"""A region that shows less of itself than this, in fractions of the frame's side, is taken to be off the frame."""


def region(name: str, landmarks: Landmarks | None) -> Region:
    """A region about the face's landmarks, as far as it is in the frame.

    It is at its canonical place where the face is not known, or where its own place is off the frame, so that no
    region is ever covered without anything to be seen of it.
    """
    if landmarks is None:
        return REGIONS[name]
    eyes, mouth = _eyes_and_mouth(landmarks)
    if name in {"eyes", "mouth"}:
        right, down = eyes if name == "eyes" else mouth
        size = face_size(landmarks)
        height, width = REGIONS[name].height * size, REGIONS[name].width * size
        seen = _in_frame(Region(down - height / 2, right - width / 2, height, width))
        return seen if min(seen.height, seen.width) >= LEAST else REGIONS[name]
    if name == "lower_face":
        top = _line(landmarks.nose[1])
        return Region(top, 0.0, 1 - top, 1.0)
    middle = _line((eyes[0] + mouth[0]) / 2)
    return Region(0.0, 0.0, 1.0, middle) if name == "left" else Region(0.0, middle, 1.0, 1 - middle)


def face_size(landmarks: Landmarks) -> float:
    """How large a face is, relative to one aligned by the eyes.

    By the distance of the eyes or that from them to the mouth, whichever says more: the eyes of a profile are close
    together, and the mouth of a bowed head is close to them. It is 0 where both are nothing.
    """
    eyes, mouth = _eyes_and_mouth(landmarks)
    return max(math.dist(landmarks.left_eye, landmarks.right_eye) / EYES_APART, math.dist(eyes, mouth) / EYES_TO_MOUTH)


def _eyes_and_mouth(landmarks: Landmarks) -> tuple[tuple[float, float], tuple[float, float]]:
    return _middle(landmarks.left_eye, landmarks.right_eye), _middle(landmarks.left_mouth, landmarks.right_mouth)


def _in_frame(place: Region) -> Region:
    """The part of a region that is in the frame; its sides are negative where there is none."""
    top, left = max(0.0, place.top), max(0.0, place.left)
    bottom, right = min(1.0, place.top + place.height), min(1.0, place.left + place.width)
    return Region(top, left, bottom - top, right - left)


def _line(at: float) -> float:
    """Where a line parts the frame: the canonical middle, if it would not."""
    return at if LEAST <= at <= 1 - LEAST else 0.5


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
