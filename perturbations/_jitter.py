"""Unsteady face crops: an autoregressive walk in place, scale and roll."""

import math

from perturbations._contract import ClipShape, Params
from perturbations._levels import along
from perturbations._random import Draws
from perturbations._warp import Move, similarities

SHIFTS = (0.005, 0.01, 0.02, 0.03, 0.05)
SCALES = (0.01, 0.02, 0.03, 0.05, 0.08)
ROLLS = (0.5, 1.0, 2.0, 4.0, 6.0)


def jitter(level: float, key: int, shape: ClipShape, memory: float) -> Params:
    """Parameters of ``warp`` for every frame.

    Args:
        level: standard deviation of the shift, fraction of the frame's height; scale (log) and roll (degrees) go along.
        key: of the clip.
        shape: of the clip.
        memory: correlation of neighbouring frames, 0 for independent ones; the deviation does not depend on it.
    """
    right, down, scale, roll = (_walk(shape.frames, memory, Draws(key, stream)) for stream in range(4))
    shift, wide = level * shape.height, along(level, SHIFTS, SCALES)
    turned = along(level, SHIFTS, ROLLS)
    moves = [
        Move(math.exp(wide * scale[moment]), turned * roll[moment], shift * right[moment], shift * down[moment])
        for moment in range(shape.frames)
    ]
    return {"matrix": similarities(shape, moves)}


def _walk(frames: int, memory: float, draws: Draws) -> list[float]:
    """A stationary first-order autoregressive sequence of unit variance."""
    walk = [draws.normal()]
    for _ in range(frames - 1):
        walk.append(memory * walk[-1] + math.sqrt(1 - memory * memory) * draws.normal())
    return walk
