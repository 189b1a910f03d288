"""Order destroyed across the clip: a random set of frames changes places among themselves."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import changed, count, order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Which frames take part, and a permutation of them, uniform but that not all of them stay."""
    draws = Draws(key)
    places = draws.subset(shape.frames, max(2, count(level, shape.frames))) if shape.frames > 1 else [0]
    index = list(range(shape.frames))
    for place, source in zip(places, changed(lambda: draws.permutation(len(places))), strict=True):
        index[place] = places[source]
    return order(index)


global_shuffle = Perturbation(
    title="Global shuffle",
    family="temporal_order",
    unit="share of frames permuted among themselves",
    levels=(3 / 16, 6 / 16, 10 / 16, 13 / 16, 1.0),
    granularity="clip",
    label_preserving="order",
    source="Only Time Can Tell (Sevilla-Lara et al. 2019), graded by the share of frames that take part",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
