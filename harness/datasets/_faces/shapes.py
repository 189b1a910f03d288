"""Antialiased shapes from signed distances, painted over many frames at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

Column = Float[np.ndarray, "t 1 1"]
"""A quantity with one value per frame, ready to meet ``t h w`` planes."""

Plane = Float[np.ndarray, "*#s"]
"""One value per pixel (and frame); planes that meet have equal sides, or one has side 1."""

Canvas = Float[np.ndarray, "c *#s"]
"""Colour planes, channel first."""


def coverage(distance: Plane, pixel: float) -> Plane:
    """The share of each pixel that a shape covers, from the signed distance to its outline (inside is negative)."""
    return np.clip(0.5 - distance / np.float32(pixel), 0, 1)


def length(u: Plane, v: Plane) -> Plane:
    """Length of the vector (u, v)."""
    result: Plane = np.sqrt(u * u + v * v)
    return result


def ellipse(u: Plane, v: Plane, a: Plane | float, b: Plane | float) -> Plane:
    """Signed distance to an axis-parallel ellipse at the origin, to first order."""
    radius = length(u / a, v / b)
    return (radius - 1) * np.minimum(a, b)


def blob(u: Plane, v: Plane, a: float, b: float) -> Plane:
    """A soft spot: 1 at the origin, 0 with a flat edge on the ellipse."""
    x, y = u / np.float32(a), v / np.float32(b)
    height = np.maximum(1 - x * x - y * y, 0)
    spot: Plane = height * height
    return spot


def ramp(x: Plane, low: float, high: float) -> Plane:
    """Smooth step from 0 at ``low`` to 1 at ``high`` (cubic)."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    step: Plane = t * t * (3 - 2 * t)
    return step


def stroke(u: Plane, v: Plane, ends: tuple[Plane | float, Plane | float, Plane | float, Plane | float]) -> Plane:
    """Distance to a straight segment given as (u0, v0, u1, v1)."""
    u0, v0, u1, v1 = ends
    du, dv = np.float32(1) * (u1 - u0), np.float32(1) * (v1 - v0)
    along = np.clip(((u - u0) * du + (v - v0) * dv) / (du * du + dv * dv), 0, 1)
    return length(u - u0 - along * du, v - v0 - along * dv)


def paint(canvas: Canvas, colour: Sequence[Plane | float], alpha: Plane) -> None:
    """Lay a colour (one value or plane per channel) over the canvas with the given opacity, in place."""
    for plane, value in zip(canvas, colour, strict=True):
        plane += alpha * (value - plane)


def shade(canvas: Canvas, darkness: Plane) -> None:
    """Darken the colour planes by a factor ``1 - darkness``, in place (negative darkness is a highlight)."""
    canvas[:3] *= 1 - darkness
