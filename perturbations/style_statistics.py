"""A different look: each channel's mean and spread moved towards a donor's."""

from perturbations._contract import Perturbation
from perturbations._donors import towards_a_donor
from perturbations._style import move_statistics

style_statistics = Perturbation(
    title="Style statistics",
    family="style",
    unit="share of the way to the donor's channel means and standard deviations",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="AdaIN (Huang and Belongie 2017) and MixStyle (Zhou et al. 2021), in pixel space",
    draw=towards_a_donor,
    apply=move_statistics,
)
