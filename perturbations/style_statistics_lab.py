"""A different look: lightness and colour opponents moved towards a donor's mean and spread, as colourists do."""

from perturbations._contract import Perturbation
from perturbations._donors import towards_a_donor
from perturbations._style import move_statistics_lab

style_statistics_lab = Perturbation(
    title="Style statistics in Lab",
    family="style",
    unit="share of the way to the donor's means and standard deviations of L, a and b",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="colour transfer (Reinhard et al. 2001), in CIELAB",
    draw=towards_a_donor,
    apply=move_statistics_lab,
)
