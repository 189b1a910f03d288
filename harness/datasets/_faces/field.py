"""Where every image pixel lies on the moving head, and windows around the features."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.datasets._faces.dynamics import HeadMotion
from harness.datasets._faces.portrait import EXTENT, Portrait
from harness.datasets._faces.shapes import Canvas, Column, Plane, ramp

SPAN = 0.95
"""Half the image's side in head units: a face crop as tight as DFEW's."""

CENTRE = 0.10
"""How far below the middle of the head the image is centred, so that forehead and chin are cut alike."""

FLATTENING = 0.6
"""How fast the head recedes from its nearest point: its side is 1 / sqrt(0.6) = 1.3 head units away."""


class Field(NamedTuple):
    """Head coordinates (right, down) of every pixel of every frame, and a pixel's side in head units."""

    u: Float[np.ndarray, "t h w"]
    v: Float[np.ndarray, "t h w"]
    pixel: float
    head: HeadMotion


class Patch(NamedTuple):
    """A window on the image: its part of the canvas (a view) and of the field."""

    canvas: Canvas
    u: Plane
    v: Plane
    pixel: float


def head_field(size: int, head: HeadMotion) -> Field:
    """Head coordinates of the pixels of square images of a side length.

    Turning the head moves what is in front of it (nose, mouth) more than its outline: a parallax that falls off to 0
    at the side of the head.
    """
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) * np.float32(SPAN)
    right, down, roll, scale, yaw, pitch = (track.reshape(-1, 1, 1) for track in head)
    x, y = axis.reshape(1, 1, -1) - right, axis.reshape(1, -1, 1) + np.float32(CENTRE) - down
    cosine, sine = np.cos(roll) / scale, np.sin(roll) / scale
    u, v = cosine * x + sine * y, cosine * y - sine * x
    near = _nearness(u, v)
    return Field(u - yaw * near, v - pitch * near, 2 * SPAN / size, head)


def window(canvas: Canvas, field: Field, centre: tuple[float, float], reach: tuple[float, float]) -> Patch:
    """The smallest part of the image that holds a rectangle of the head's plane in every frame.

    Args:
        canvas: colour planes, "3 t h w"; the patch is a view of them.
        field: head coordinates of the same pixels.
        centre: of the rectangle, in head units.
        reach: half its sides.
    """
    right, down, roll, scale, yaw, pitch = field.head
    columns, rows = [], []
    for corner_u, corner_v in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        still_u, still_v = centre[0] + corner_u * reach[0], centre[1] + corner_v * reach[1]
        near = max(1 - (still_u**2 + still_v**2) * FLATTENING, 0)
        u, v = still_u + yaw * near, still_v + pitch * near
        columns.append(scale * (np.cos(roll) * u - np.sin(roll) * v) + right)
        rows.append(scale * (np.sin(roll) * u + np.cos(roll) * v) + down - CENTRE)
    across, along = _pixels(np.stack(columns), field), _pixels(np.stack(rows), field)
    part = (slice(None), along, across)
    return Patch(canvas[(slice(None), *part)], field.u[part], field.v[part], field.pixel)


def place_portrait(canvas: Canvas, field: Field, portrait: Portrait, jaw: Column) -> None:
    """Lay the still layers over the background, the skin below the mouth pulled down with the jaw."""
    cells = portrait.planes.shape[-1]
    dropped = field.v - jaw * ramp(field.v, 0.35, 1.0)
    column = np.clip((field.u + np.float32(EXTENT)) / np.float32(portrait.texel), 0, cells - 1).astype(np.intp)
    row = np.clip((dropped + np.float32(EXTENT)) / np.float32(portrait.texel), 0, cells - 1).astype(np.intp)
    index = row * cells + column
    *colours, opacity = (plane.ravel().take(index) for plane in portrait.planes)
    for plane, colour in zip(canvas, colours, strict=True):
        plane *= 1 - opacity
        plane += colour


def _nearness(u: Plane, v: Plane) -> Plane:
    """How far a point of the head stands out towards the camera: 1 at its centre, 0 from its side on."""
    nearness: Plane = np.maximum(1 - (u * u + v * v) * np.float32(FLATTENING), 0)
    return nearness


def _pixels(positions: Float[np.ndarray, "k t"], field: Field) -> slice:
    """The pixels between the smallest and the largest position, with a margin of two, within the image."""
    size = field.u.shape[-1]
    low = int(np.floor((positions.min() + SPAN) / field.pixel)) - 2
    high = int(np.ceil((positions.max() + SPAN) / field.pixel)) + 2
    start = min(max(low, 0), size - 1)
    return slice(start, min(max(high, start + 1), size))
