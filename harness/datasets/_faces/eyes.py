"""Eyes, lids, brows and glasses."""

from typing import NamedTuple

import numpy as np

from harness.datasets._faces.action_units import Deformation
from harness.datasets._faces.field import Field, window
from harness.datasets._faces.identities import Identity
from harness.datasets._faces.shapes import Canvas, Column, Plane, coverage, ellipse, length, paint, shade

EYE_LEVEL = -0.14
"""Height of the eyes on the head, in head units (up is negative)."""


class EyeState(NamedTuple):
    """What the eyes do beside expressing: lids closed by a blink (0 to 1) and gaze (-1 to 1), one value per frame."""

    closed: Column
    right: Column
    down: Column


class _Lids(NamedTuple):
    """An eye's own coordinates (inner corner -1, outer corner 1) and its lids' heights there."""

    along: Plane
    upper: Plane
    lower: Plane


def draw_eyes(canvas: Canvas, field: Field, identity: Identity, pose: Deformation, state: EyeState) -> None:
    """Both eyes with their brows, and glasses over them."""
    for side in (-1, 1):
        _draw_eye(canvas, field, side, identity, pose, state)
        _draw_brow(canvas, field, side, identity, pose)
    if identity.glasses != "none":
        _draw_glasses(canvas, field, identity)


def _draw_eye(canvas: Canvas, field: Field, side: int, identity: Identity, pose: Deformation, state: EyeState) -> None:
    """White, iris, lashes and the folds above and below."""
    centre = side * identity.eye_spacing
    patch = window(canvas, field, (centre, EYE_LEVEL), (identity.eye_width + 0.12, 0.34))
    lids = _lids(patch.u, side, identity, pose, state)
    v, pixel = patch.v - EYE_LEVEL, patch.pixel
    beside = np.clip((1.12 - np.abs(lids.along)) * 8, 0, 1)
    hole = beside * coverage(np.maximum(lids.upper - v, v - lids.lower), pixel)
    paint(patch.canvas, (0.93, 0.92, 0.90), hole)
    x = patch.u - centre - 0.07 * state.right
    y = v + 0.005 - 0.035 * state.down
    radius = 0.095
    paint(patch.canvas, identity.iris, hole * coverage(length(x, y) - radius, pixel))
    paint(patch.canvas, (0.03, 0.03, 0.03), hole * coverage(length(x, y) - 0.45 * radius, pixel))
    paint(patch.canvas, (1.0, 1.0, 1.0), hole * coverage(length(x + 0.03, y + 0.035) - 0.02, pixel))
    shade(patch.canvas, 0.35 * hole * coverage(np.abs(v - lids.upper) - 0.03, pixel))
    paint(patch.canvas, (0.08, 0.05, 0.05), 0.9 * beside * coverage(np.abs(v - lids.upper) - 0.016, pixel))
    shade(patch.canvas, 0.35 * beside * coverage(np.abs(v - lids.lower) - 0.010, pixel))
    shade(patch.canvas, 0.22 * beside * coverage(np.abs(v - lids.upper + 0.07) - 0.010, pixel))
    pouch = np.abs(v - lids.lower - 0.06 + 0.02 * pose.cheek) - 0.012
    shade(patch.canvas, (0.06 + 0.34 * np.minimum(pose.cheek, 1)) * beside * coverage(pouch, pixel))


def _lids(u: Plane, side: int, identity: Identity, pose: Deformation, state: EyeState) -> _Lids:
    """Heights of the lids' edges relative to the eye's centre; they meet outside the corners and in a blink."""
    along = (u * side - identity.eye_spacing) / np.float32(identity.eye_width)
    bow = 1 - along * along
    tilt = -identity.eye_tilt * along
    top = np.maximum(identity.eye_opening + pose.upper_lid, -0.02)
    bottom = np.maximum(0.75 * identity.eye_opening - pose.lower_lid, -0.01)
    top = np.maximum(top, 0.012 - bottom)
    shut = top * (1 - state.closed) - bottom * state.closed
    return _Lids(along, tilt - shut * bow, tilt + bottom * bow)


def _draw_brow(canvas: Canvas, field: Field, side: int, identity: Identity, pose: Deformation) -> None:
    """A tapering stroke from the root of the nose outwards."""
    level = EYE_LEVEL - identity.brow_height
    patch = window(canvas, field, (side * 0.38, level), (0.38, 0.42))
    inner, outer = 0.13 - pose.brow_gather, 0.60 - 0.3 * pose.brow_gather
    along = (patch.u * side - inner) / (outer - inner)
    near = np.clip(along, 0, 1)
    raised = pose.inner_brow * (1 - near) + pose.outer_brow * near
    height = level - raised - 4 * identity.brow_arch * near * (1 - near) + 0.03 * near
    thickness = identity.brow_thickness * (1.15 - 0.65 * near)
    beyond = np.maximum(np.abs(along - 0.5) - 0.5, 0) * (outer - inner)
    alpha = 0.92 * coverage(length(beyond, patch.v - height) - thickness, patch.pixel)
    red, green, blue = identity.hair
    paint(patch.canvas, (0.6 * red, 0.6 * green, 0.6 * blue), alpha)
    shade(patch.canvas, 0.10 * coverage(np.abs(patch.v - height - 0.08) - 0.04, 0.08) * (beyond <= 0))


def _draw_glasses(canvas: Canvas, field: Field, identity: Identity) -> None:
    """Two rims and a bridge, at rest on the nose."""
    patch = window(canvas, field, (0.0, EYE_LEVEL), (0.72, 0.32))
    x, y = np.abs(patch.u) - identity.eye_spacing, patch.v - EYE_LEVEL - 0.03
    if identity.glasses == "round":
        rim = ellipse(x, y, 0.27, 0.24)
    else:
        outside = length(np.maximum(np.abs(x) - 0.20, 0), np.maximum(np.abs(y) - 0.13, 0))
        rim = outside - 0.075
    bridge = np.maximum(np.abs(patch.u) - identity.eye_spacing + 0.25, np.abs(y + 0.05) - 0.018)
    frame = np.minimum(np.abs(rim) - 0.016, bridge)
    paint(patch.canvas, (0.9, 0.95, 1.0), 0.07 * coverage(rim, patch.pixel))
    paint(patch.canvas, (0.07, 0.06, 0.07), 0.9 * coverage(frame, patch.pixel))
