"""A different look: each channel's histogram moved towards a donor's."""

from perturbations._contract import Perturbation
from perturbations._donors import towards_a_donor
from perturbations._style import match_histograms

histogram_match = Perturbation(
    title="Histogram match",
    family="style",
    unit="share of the way to the donor's histogram",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="exact histogram specification per channel and clip (Gonzalez and Woods)",
    draw=towards_a_donor,
    apply=match_histograms,
)
