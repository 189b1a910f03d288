"""Played too slowly: only a part of the clip is seen, its frames repeated."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, paced, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Where the part that is seen begins."""
    seen = max(1, round(level * shape.frames))
    start = Draws(key).integer(shape.frames - seen + 1)
    return order([start + shown for shown in paced(level, shape.frames, seen - 1)])


slow_down = Perturbation(
    title="Slow down",
    family="temporal_rate",
    unit="factor on the speed",
    levels=(0.8, 0.67, 0.5, 0.33, 0.25),
    granularity="clip",
    label_preserving="yes",
    source="sampling of Schiappa et al. (2023), repaired to keep the clip's length",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
