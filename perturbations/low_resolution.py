"""A distant or cheap camera: averaged down, interpolated smoothly up."""

from functools import partial

from perturbations._contract import Perturbation
from perturbations._resolution import at_height, coarsen, draw

low_resolution = Perturbation(
    title="Low resolution",
    family="compression",
    unit="factor by which frames 112 px high shrink, others to as many rows",
    levels=(2.0, 3.0, 4.0, 6.0, 8.0),
    granularity="clip",
    label_preserving="yes",
    source="down-sampling of low bit rate emotion recognition (Cheng et al. 2017), factors 2 to 8",
    draw=draw,
    apply=partial(coarsen, up="cubic"),
    whole_batch=True,
    keyed=False,
    second=at_height,
)
