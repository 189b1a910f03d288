"""Uneven sampling: every frame is taken a little too early or too late, in order."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Normal errors of the sampling times, sorted so that time never runs backwards, to the nearest frame.

    Where none reaches another frame, the frame with the largest error is its neighbour.
    """
    draws, last = Draws(key), shape.frames - 1
    errors = [level * shape.frames * draws.normal() for _ in range(shape.frames)]
    times = sorted(moment + error for moment, error in enumerate(errors))
    index = [min(max(round(time), 0), last) for time in times]
    if index == list(range(shape.frames)) and last > 0:
        inwards = [errors[0], *map(abs, errors[1:-1]), -errors[-1]]
        moment = inwards.index(max(inwards))
        index[moment] += 1 if moment == 0 or (moment < last and errors[moment] > 0) else -1
    return order(index)


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
