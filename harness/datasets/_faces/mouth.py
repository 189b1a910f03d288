"""The mouth: lips, teeth, and the line between them."""

from typing import NamedTuple

import numpy as np

from harness.datasets._faces.action_units import Deformation
from harness.datasets._faces.field import Field, window
from harness.datasets._faces.identities import Identity
from harness.datasets._faces.shapes import Canvas, Plane, coverage, paint, shade

MOUTH_LEVEL = 0.56
"""Height of the closed mouth on the head, in head units."""


class _Lips(NamedTuple):
    """Heights of the four edges of the lips at every pixel, from top to bottom."""

    upper_edge: Plane
    upper_inside: Plane
    lower_inside: Plane
    lower_edge: Plane


def draw_mouth(canvas: Canvas, field: Field, identity: Identity, pose: Deformation) -> None:
    """Lips that follow the corners, the jaw and each other; teeth where they part."""
    patch = window(canvas, field, (0.0, MOUTH_LEVEL + 0.12), (0.66, 0.62))
    pixel, v = patch.pixel, patch.v
    width = np.maximum(identity.mouth_width + pose.corner_out - 0.25 * pose.jaw, 0.12)
    along = patch.u / width
    lips = _lips(along, identity, pose)
    shadow = coverage(np.abs(v - lips.lower_edge - 0.05) - 0.03, 0.06) * (np.abs(along) < 0.7)
    shade(patch.canvas, 0.16 * shadow)
    ends = np.clip((1.06 - np.abs(along)) * 10, 0, 1)
    skin = ends * coverage(np.maximum(lips.upper_edge - v, v - lips.lower_edge), pixel)
    paint(patch.canvas, identity.lip_colour, skin)
    shade(patch.canvas, 0.12 * skin * (v < lips.upper_inside))
    inside = ends * coverage(np.maximum(lips.upper_inside - v, v - lips.lower_inside), pixel)
    paint(patch.canvas, (0.16, 0.05, 0.06), inside)
    _draw_teeth(patch.canvas, v, along, lips, inside, pixel)
    line = (lips.upper_inside + lips.lower_inside) / 2
    closed = np.clip(1 - (lips.lower_inside - lips.upper_inside) / 0.05, 0, 1)
    mark = coverage(np.abs(v - line) - 0.014, pixel) * ends
    paint(patch.canvas, (0.20, 0.07, 0.07), 0.85 * mark * np.maximum(closed, np.abs(along) > 0.9))


def _lips(along: Plane, identity: Identity, pose: Deformation) -> _Lips:
    """Curves through the corners and the middle of each edge; beyond the corners the edges cross, so nothing shows."""
    bow = 1 - along * along
    corner = MOUTH_LEVEL - pose.corner_up + 0.3 * pose.jaw
    lifted = MOUTH_LEVEL - pose.upper_lip - 0.25 * pose.corner_up - 0.25 * pose.lips_part
    sunk = MOUTH_LEVEL + pose.lower_lip - 0.25 * pose.corner_up + 0.75 * pose.lips_part + pose.jaw
    sunk = np.maximum(sunk, lifted)
    fullness = identity.lip_thickness * np.maximum(1 - 0.8 * pose.lip_press, 0.15)
    cupid = 0.018 * np.maximum(1 - np.abs(along) * 6, 0)
    upper_inside = corner + (lifted - corner) * bow
    lower_inside = corner + (sunk - corner) * bow
    upper_edge = upper_inside - fullness * np.sqrt(np.maximum(bow, 0)) + cupid - 0.004 * bow
    lower_edge = lower_inside + 1.25 * fullness * np.sqrt(np.maximum(bow, 0)) + 0.004 * bow
    return _Lips(upper_edge, upper_inside, lower_inside, lower_edge)


def _draw_teeth(canvas: Canvas, v: Plane, along: Plane, lips: _Lips, inside: Plane, pixel: float) -> None:
    """The upper row hangs below the upper lip, the lower row shows when the lower lip is drawn down."""
    centre = np.abs(along) < 0.86
    upper = coverage(v - lips.upper_inside - 0.075, pixel)
    lower = coverage(lips.lower_inside - 0.035 - v, pixel)
    teeth = inside * centre
    paint(canvas, (0.93, 0.91, 0.86), 0.92 * teeth * upper)
    paint(canvas, (0.84, 0.81, 0.76), 0.6 * teeth * lower)
