"""Stutter: some frames are shown twice, the tail is cut."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The frames shown twice; the last is none of them, which would leave the clip as it is."""
    twice = set(Draws(key).subset(shape.frames - 1, count(level, shape.frames)))
    shown = [source for source in range(shape.frames) for _ in range(1 + (source in twice))]
    return order(shown[: shape.frames])


duplicate = Perturbation(
    title="Duplicate frames",
    family="temporal_rate",
    unit="share of frames shown twice",
    levels=(1 / 16, 2 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="own",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
