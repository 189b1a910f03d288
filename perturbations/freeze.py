"""Stalled playback: the picture stands still, then goes on from where it stopped; the tail is cut."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The frame that playback stalls at, and for how long."""
    run = count(level, shape.frames, shape.frames - 1)
    stuck = Draws(key).integer(shape.frames - run)
    return order([min(moment, max(stuck, moment - run)) for moment in range(shape.frames)])


freeze = Perturbation(
    title="Freeze",
    family="temporal_rate",
    unit="length of the stall, share of the clip; little motion is left above severity 3",
    levels=(4 / 16, 8 / 16, 12 / 16, 14 / 16, 15 / 16),
    granularity="clip",
    label_preserving="yes",
    source="freeze of Schiappa et al. (2023), repaired to keep the clip's length",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
