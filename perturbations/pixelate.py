"""Coarse blocks: averaged down, repeated up."""

from functools import partial

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._resolution import coarsen, smaller


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The size in between; nothing is random."""
    return smaller(level, shape)


pixelate = Perturbation(
    title="Pixelation",
    family="compression",
    unit="factor by which height and width shrink",
    levels=(2.0, 3.0, 4.0, 5.0, 7.0),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C pixelate (Hendrycks and Dietterich 2019), made monotone",
    draw=draw,
    apply=partial(coarsen, up="blocks"),
    whole_batch=True,
    keyed=False,
)
