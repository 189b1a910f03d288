"""Coarse blocks: averaged down, repeated up."""

from functools import partial

from perturbations._contract import Perturbation
from perturbations._resolution import at_height, coarsen, draw

pixelate = Perturbation(
    title="Pixelation",
    family="compression",
    unit="factor by which frames 112 px high shrink, others to as many rows",
    levels=(2.0, 3.0, 4.0, 5.0, 7.0),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C pixelate (Hendrycks and Dietterich 2019), made monotone",
    draw=draw,
    apply=partial(coarsen, up="blocks"),
    whole_batch=True,
    keyed=False,
    second=at_height,
)
