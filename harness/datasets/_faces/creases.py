"""Nose, cheeks, chin and the lines that moving skin folds into."""

import numpy as np

from harness.datasets._faces.action_units import Deformation
from harness.datasets._faces.eyes import EYE_LEVEL
from harness.datasets._faces.field import Field, window
from harness.datasets._faces.identities import Identity
from harness.datasets._faces.mouth import MOUTH_LEVEL
from harness.datasets._faces.shapes import Canvas, blob, coverage, ellipse, length, shade, stroke


def draw_creases(canvas: Canvas, field: Field, identity: Identity, pose: Deformation) -> None:
    """Everything between the eyes and the mouth that expression moves."""
    _draw_forehead(canvas, field, pose)
    _draw_nose(canvas, field, identity, pose)
    for side in (-1, 1):
        _draw_cheek(canvas, field, side, identity, pose)
    _draw_chin(canvas, field, pose)


def _draw_forehead(canvas: Canvas, field: Field, pose: Deformation) -> None:
    """Level wrinkles of raised brows; upright ones of gathered brows."""
    patch = window(canvas, field, (0.0, -0.62), (0.5, 0.12))
    waves = patch.v - 0.02 * np.cos(patch.u * 9)
    fading = np.clip((0.46 - np.abs(patch.u)) * 6, 0, 1) * np.minimum(pose.forehead, 1)
    for level in (-0.70, -0.60, -0.51):
        shade(patch.canvas, 0.34 * fading * coverage(np.abs(waves - level) - 0.013, patch.pixel))
    patch = window(canvas, field, (0.0, -0.36), (0.14, 0.16))
    upright = stroke(np.abs(patch.u), patch.v, (0.045, -0.44, 0.055, -0.28))
    shade(patch.canvas, 0.55 * np.minimum(pose.glabella, 1) * coverage(upright - 0.016, patch.pixel))


def _draw_nose(canvas: Canvas, field: Field, identity: Identity, pose: Deformation) -> None:
    """Tip, wings and nostrils, lifted when the nose wrinkles, and the wrinkles across its root."""
    tip = EYE_LEVEL + identity.nose_length
    patch = window(canvas, field, (0.0, tip), (identity.nose_width + 0.14, 0.18))
    y, x = patch.v - tip + 0.055 * pose.nose_wrinkle, np.abs(patch.u)
    flare = identity.nose_width * (1 + 0.22 * np.minimum(pose.nose_wrinkle, 1))
    shade(patch.canvas, 0.20 * blob(patch.u, y - 0.06, 0.20, 0.06))
    nostril = ellipse(x - 0.55 * flare, y - 0.015, 0.05, 0.026)
    shade(patch.canvas, 0.72 * coverage(nostril, patch.pixel))
    wing = np.abs(length(x - flare + 0.05, (y + 0.02) * 0.8) - 0.07) - 0.012
    shade(patch.canvas, 0.38 * coverage(wing, patch.pixel) * (x > flare - 0.04))
    patch = window(canvas, field, (0.0, -0.06), (0.2, 0.14))
    across = np.clip((0.15 - np.abs(patch.u)) * 12, 0, 1) * np.minimum(pose.nose_wrinkle, 1.2)
    for level in (-0.15, -0.07, 0.01):
        line = np.abs(patch.v - level - 0.5 * np.abs(patch.u)) - 0.014
        shade(patch.canvas, 0.45 * across * coverage(line, patch.pixel))


def _draw_cheek(canvas: Canvas, field: Field, side: int, identity: Identity, pose: Deformation) -> None:
    """The raised apple of the cheek, crow's feet, and the fold from the nose past the mouth's corner."""
    patch = window(canvas, field, (side * 0.48, 0.16), (0.36, 0.5))
    u, v, pixel = patch.u * side, patch.v, patch.pixel
    lifted = np.minimum(pose.cheek, 1)
    shade(patch.canvas, -0.16 * lifted * blob(u - 0.46, v - 0.18 + 0.05 * lifted, 0.26, 0.20))
    shade(patch.canvas, 0.16 * lifted * blob(u - 0.48, v - 0.42, 0.24, 0.12))
    outer = identity.eye_spacing + identity.eye_width
    for rise in (-0.07, 0.02, 0.10):
        foot = stroke(u, v, (outer + 0.03, EYE_LEVEL + 0.4 * rise, outer + 0.13, EYE_LEVEL + rise))
        shade(patch.canvas, 0.36 * lifted * coverage(foot - 0.010, pixel))
    end_u = identity.mouth_width + 0.09 + 0.8 * pose.corner_out
    fold = stroke(u, v, (identity.nose_width + 0.06, 0.22, end_u, MOUTH_LEVEL - 0.10 - 0.4 * pose.corner_up))
    shade(patch.canvas, 0.40 * np.minimum(pose.nasolabial, 1) * coverage(fold - 0.014, pixel))


def _draw_chin(canvas: Canvas, field: Field, pose: Deformation) -> None:
    """The chin bunched up below the lower lip."""
    patch = window(canvas, field, (0.0, 0.84), (0.3, 0.22))
    y = patch.v - 0.85 - 0.8 * pose.jaw
    bunched = np.clip(pose.chin, 0, 1)
    dimples = 0.6 + 0.4 * np.cos(patch.u * 38) * np.cos(y * 42)
    shade(patch.canvas, 0.42 * bunched * dimples * blob(patch.u, y, 0.22, 0.13))
    ridge = np.abs(y + 0.13 - 0.6 * np.square(patch.u)) - 0.016
    shade(patch.canvas, 0.40 * bunched * coverage(ridge, patch.pixel) * (np.abs(patch.u) < 0.2))
