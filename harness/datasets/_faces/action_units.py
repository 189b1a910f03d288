"""What each action unit does to the drawn face: displacements of its features.

The units and what they look like follow Ekman, Friesen and Hager, "Facial Action Coding System" (2002). Lengths are
in head units: the image spans 1.9 of them, half a face's width is 0.8, half an eye's opening 0.12.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.datasets._faces.shapes import Column


class Deformation(NamedTuple):
    """How far every feature is from where it lies on the average face; one value per frame.

    Lengths are in head units; ``cheek``, ``nose_wrinkle``, ``lip_press``, ``chin``, ``forehead``, ``glabella`` and
    ``nasolabial`` are strengths, 1 being the unit's maximum.
    """

    inner_brow: Column  # up
    outer_brow: Column  # up
    brow_gather: Column  # inward
    upper_lid: Column  # up
    lower_lid: Column  # up
    cheek: Column
    nose_wrinkle: Column
    upper_lip: Column  # up
    lower_lip: Column  # down
    corner_up: Column
    corner_out: Column
    lip_press: Column
    lips_part: Column  # gap
    jaw: Column  # down
    chin: Column
    forehead: Column
    glabella: Column
    nasolabial: Column


EFFECTS: dict[int, dict[str, float]] = {
    1: {"inner_brow": 0.22, "outer_brow": 0.03, "forehead": 0.5},
    2: {"outer_brow": 0.21, "inner_brow": 0.04, "forehead": 0.5},
    4: {"inner_brow": -0.15, "outer_brow": -0.06, "brow_gather": 0.10, "glabella": 1.0, "upper_lid": -0.01},
    5: {"upper_lid": 0.11},
    6: {"cheek": 1.0, "lower_lid": 0.06, "nasolabial": 0.3},
    7: {"lower_lid": 0.06, "upper_lid": -0.05},
    9: {"nose_wrinkle": 1.0, "inner_brow": -0.10, "upper_lip": 0.06, "nasolabial": 0.6, "lower_lid": 0.04},
    10: {"upper_lip": 0.12, "nasolabial": 0.6, "lips_part": 0.04},
    12: {"corner_up": 0.22, "corner_out": 0.12, "nasolabial": 0.8},
    15: {"corner_up": -0.21, "chin": 0.2},
    16: {"lower_lip": 0.11, "lips_part": 0.03},
    17: {"chin": 1.0, "lower_lip": -0.09, "upper_lip": 0.03, "corner_up": -0.04},
    20: {"corner_out": 0.18, "corner_up": -0.05, "lip_press": 0.2, "lips_part": 0.05},
    23: {"lip_press": 0.8, "corner_out": -0.12},
    24: {"lip_press": 0.9, "chin": 0.3, "corner_out": -0.05},
    25: {"lips_part": 0.12},
    26: {"lips_part": 0.16, "jaw": 0.22},
}
"""Action unit -> displacements at its full strength (FACS intensity E); our own measures, fitted to the drawn face."""

UNITS = tuple(EFFECTS)
"""The action units that are drawn, in the order of the columns of an activation matrix."""

LIMITS = {
    "inner_brow": (-0.28, 0.42),
    "outer_brow": (-0.24, 0.42),
    "brow_gather": (-0.08, 0.16),
    "upper_lid": (-0.18, 0.20),
    "lower_lid": (-0.08, 0.14),
    "upper_lip": (-0.06, 0.20),
    "lower_lip": (-0.16, 0.20),
    "corner_up": (-0.40, 0.40),
    "corner_out": (-0.22, 0.30),
    "lips_part": (0.0, 0.40),
    "jaw": (-0.04, 0.40),
}
"""Where skin and bone stop a displacement; strengths stop at 0 and 1.4."""


def effect_matrix() -> Float[np.ndarray, "a p"]:
    """Displacement of every feature (columns, in the order of ``Deformation``) by every action unit (rows)."""
    rows = [[EFFECTS[unit].get(field, 0.0) for field in Deformation._fields] for unit in UNITS]
    return np.array(rows, dtype=np.float32)


def deform(activation: Float[np.ndarray, "t a"], rest: Float[np.ndarray, " p"]) -> Deformation:
    """The face that action units make of a resting face: displacements add up, limits yield softly.

    Args:
        activation: strength of every action unit (order of ``UNITS``) in every frame, 0 to 1.
        rest: displacements of the resting face (order of ``Deformation``).
    """
    moved = activation @ effect_matrix() + rest
    columns = []
    for field, values in zip(Deformation._fields, moved.T, strict=True):
        low, high = LIMITS.get(field, (0.0, 1.4))
        columns.append(_yield(values, low, high).astype(np.float32).reshape(-1, 1, 1))
    return Deformation(*columns)


def _yield(values: Float[np.ndarray, " t"], low: float, high: float) -> Float[np.ndarray, " t"]:
    """Values that approach a limit ever more slowly over its last half and never pass it."""
    span = np.where(values > 0, high, -low)
    knee = span / 2
    beyond = np.abs(values) - knee
    bent = knee + knee * np.tanh(np.maximum(beyond, 0) / np.maximum(knee, 1e-6))
    yielded: Float[np.ndarray, " t"] = np.sign(values) * np.where(beyond > 0, bent, np.abs(values))
    return yielded
