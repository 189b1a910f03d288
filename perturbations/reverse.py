"""A stretch of the clip plays backwards, in the end all of it."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Where the stretch of the level's length lies."""
    run = max(2, min(round(level * shape.frames), shape.frames))
    start = Draws(key).integer(shape.frames - run + 1)
    index = list(range(shape.frames))
    return order([*index[:start], *reversed(index[start : start + run]), *index[start + run :]])


reverse = Perturbation(
    title="Reverse",
    family="temporal_order",
    unit="length of the stretch, share of the clip",
    levels=(4 / 16, 7 / 16, 10 / 16, 13 / 16, 1.0),
    granularity="clip",
    label_preserving="order",
    source="arrow of time (Wei et al. 2018); reverse sampling of Schiappa et al. (2023)",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
