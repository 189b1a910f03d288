"""Uneven sampling: every frame is taken a little too early or too late, in order."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Normal errors of the sampling times, sorted so that time never runs backwards, to the nearest frame."""
    draws = Draws(key)
    times = sorted(moment + level * shape.frames * draws.normal() for moment in range(shape.frames))
    return order([min(max(round(time), 0), shape.frames - 1) for time in times])


timestamp_jitter = Perturbation(
    title="Timestamp jitter",
    family="temporal_rate",
    unit="standard deviation, share of the clip (0.5, 1, 1.5, 2, 3 frames of 16)",
    levels=(0.5 / 16, 1 / 16, 1.5 / 16, 2 / 16, 3 / 16),
    granularity="clip",
    label_preserving="yes",
    source="own; variable frame rate",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
