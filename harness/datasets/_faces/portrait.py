"""The still layers of a person: hair, shoulders, neck, ears and skin, painted once per clip on the head's own plane."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.datasets._faces.identities import Identity
from harness.datasets._faces.shapes import Canvas, Plane, blob, coverage, ellipse, length, paint, ramp, shade, stroke

EXTENT = 1.8
"""The painted plane reaches this far from the head's centre, in head units."""


class Portrait(NamedTuple):
    """Premultiplied red, green, blue and opacity over the head's plane; ``texel`` is a cell's side in head units."""

    planes: Float[np.ndarray, "4 r r"]
    texel: float


def paint_portrait(identity: Identity, pixel: float) -> Portrait:
    """Everything about a person that moves with the head as a whole.

    Args:
        identity: who is painted.
        pixel: an image pixel's side in head units; edges are as soft as that, and cells half as large.
    """
    cells = int(np.ceil(2 * EXTENT / (pixel / 2)))
    texel = 2 * EXTENT / cells
    axis = ((np.arange(cells, dtype=np.float32) + 0.5) * texel - EXTENT).astype(np.float32)
    v, u = np.meshgrid(axis, axis, indexing="ij")
    planes = np.zeros((4, cells, cells), dtype=np.float32)
    _back_hair(planes, u, v, identity, pixel)
    _body(planes, u, v, identity, pixel)
    _skin(planes, u, v, identity, pixel)
    _front_hair(planes, u, v, identity, pixel)
    _beard(planes, u, v, identity, pixel)
    return Portrait(planes, texel)


def face_distance(u: Plane, v: Plane, identity: Identity) -> Plane:
    """Signed distance to the face's outline: half an ellipse above, narrowing to the jaw below."""
    low = ramp(v, 0.1, identity.half_height)
    width = identity.half_width * (1 - (1 - identity.jaw_width) * 0.45 * low)
    return ellipse(u, v, width, identity.half_height)


def _back_hair(planes: Canvas, u: Plane, v: Plane, identity: Identity, pixel: float) -> None:
    """Hair that shows behind the face."""
    if identity.hair_style == "bald":
        return
    fullness = {"crop": 0.03, "short": 0.07, "parted": 0.10, "fringe": 0.10, "long": 0.14, "curly": 0.20}
    extra = fullness[identity.hair_style]
    outline = ellipse(u, v + 0.12, identity.half_width + extra, identity.half_height + 0.6 * extra)
    if identity.hair_style == "curly":
        outline = outline + 0.035 * np.sin(np.arctan2(v, u) * 22 + identity.texture % 7)
    if identity.hair_style == "long":
        sides = np.maximum(np.abs(u) - identity.half_width - 0.12, np.maximum(-v - 0.1, v - 1.35))
        outline = np.minimum(outline, sides)
        paint(planes, (*_shades(identity.hair, 0.8), 1.0), coverage(outline, pixel))
        return
    above = np.maximum(outline, v - 0.25)
    paint(planes, (*_shades(identity.hair, 0.9), 1.0), coverage(above, pixel))


def _body(planes: Canvas, u: Plane, v: Plane, identity: Identity, pixel: float) -> None:
    """Shoulders, neck and ears."""
    shoulders = ellipse(u, v - 1.95, 1.75, 0.72)
    paint(planes, (*identity.clothes, 1.0), coverage(shoulders, pixel))
    neck = np.maximum(np.abs(u) - 0.42 - 0.25 * ramp(v, 1.1, 1.5), np.abs(v - 1.0) - 0.42)
    paint(planes, (*_shades(identity.skin, 0.72), 1.0), coverage(neck, pixel))
    for side in (-1, 1):
        ear = ellipse(u - side * identity.half_width, v - 0.02, 0.11, 0.2)
        paint(planes, (*_shades(identity.skin, 0.86), 1.0), coverage(ear, pixel))


def _skin(planes: Canvas, u: Plane, v: Plane, identity: Identity, pixel: float) -> None:
    """The face's skin, with its relief, complexion and age."""
    outline = face_distance(u, v, identity)
    paint(planes, (*identity.skin, 1.0), coverage(outline, pixel))
    shade(planes, 0.30 * ramp(outline, -0.30, 0.02) * ramp(-outline, -0.04, 0.0))
    for side in (-1, 1):
        shade(planes, 0.16 * blob(u - side * identity.eye_spacing, v + 0.14, 0.34, 0.22))
        shade(planes, -0.07 * blob(u - side * 0.44, v - 0.22, 0.28, 0.24))
        shade(planes, 0.10 * blob(u - side * 0.13, v - 0.06, 0.09, 0.34))
        _aged(planes, u, v, side, identity, pixel)
    shade(planes, -0.12 * blob(u, v - 0.05, 0.07, 0.42))
    shade(planes, 0.14 * blob(u, v - identity.half_height + 0.2, 0.26, 0.07))
    grain = np.random.Generator(np.random.PCG64(identity.texture))
    for x, y, radius, depth in grain.uniform((-0.6, -0.6, 0.012, 0.05), (0.6, 0.9, 0.035, 0.35), (9, 4)):
        shade(planes, np.float32(depth) * coverage(length(u - x, v - y) - radius, pixel))


def _aged(planes: Canvas, u: Plane, v: Plane, side: int, identity: Identity, pixel: float) -> None:
    """Lines that age leaves: under the eyes and from the nose to the mouth."""
    bag = stroke(u, v, (side * 0.22, 0.02, side * 0.48, 0.0))
    fold = stroke(u, v, (side * 0.2, 0.26, side * 0.38, 0.5))
    for line, depth in ((bag, 0.14), (fold, 0.20)):
        shade(planes, np.float32(depth * identity.age) * coverage(line - 0.012, pixel))


def _front_hair(planes: Canvas, u: Plane, v: Plane, identity: Identity, pixel: float) -> None:
    """Hair over the forehead, down to the hairline."""
    if identity.hair_style == "bald":
        return
    line = {
        "crop": identity.hairline + 0.30 * np.square(u),
        "short": identity.hairline + 0.42 * np.square(u),
        "parted": identity.hairline + 0.10 - 0.40 * np.abs(u - 0.25) + 0.55 * np.square(u),
        "fringe": np.full_like(u, -0.62) + 0.02 * np.sin(u * 26),
        "long": identity.hairline - 0.02 + 0.75 * np.square(u),
        "curly": identity.hairline + 0.05 + 0.3 * np.square(u) + 0.03 * np.sin(u * 21),
    }[identity.hair_style]
    skull = ellipse(u, v + 0.06, identity.half_width + 0.04, identity.half_height + 0.02)
    front = np.maximum(skull, v - line)
    strands = 0.85 + 0.15 * np.sin(u * 40 + 6 * v + identity.texture % 11)
    paint(planes, (*(channel * strands for channel in identity.hair), 1.0), coverage(front, pixel))


def _beard(planes: Canvas, u: Plane, v: Plane, identity: Identity, pixel: float) -> None:
    """Hair on the lower face; the mouth is painted over it later."""
    if identity.beard == "none":
        return
    inside = face_distance(u, v, identity)
    moustache = ellipse(u, v - 0.43, 0.30, 0.065)
    goatee = ellipse(u, v - 0.86, 0.22, 0.22)
    cheeks = np.maximum(inside - 0.02, 0.34 + 0.10 * np.cos(u * 4) - v)
    shape, density = {
        "stubble": (cheeks, 0.30),
        "moustache": (moustache, 0.85),
        "goatee": (np.minimum(moustache, goatee), 0.85),
        "full": (np.minimum(cheeks, moustache), 0.85),
    }[identity.beard]
    alpha = np.float32(density) * coverage(np.maximum(shape, inside), 2 * pixel)
    paint(planes, (*_shades(identity.hair, 0.9), 1.0), alpha)


def _shades(colour: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    """A colour made darker."""
    red, green, blue = colour
    return red * factor, green * factor, blue * factor
