"""One gap in the stream: a run of lost frames, the last one received held in their place."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, hold, order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A run of lost frames anywhere after the first frame."""
    run = count(level, shape.frames, shape.frames - 1)
    start = 1 + Draws(key).integer(shape.frames - run)
    return order(hold(range(start, start + run), shape.frames))


burst_loss = Perturbation(
    title="Burst loss",
    family="temporal_loss",
    unit="length of the gap, share of the clip",
    levels=(2 / 16, 3 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="contiguous corruption of temporal-action-detection-C (Zeng et al. 2024), as shares of the clip",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
