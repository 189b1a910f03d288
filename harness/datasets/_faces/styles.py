"""Capture styles: named ways in which a clip was lit, coloured, filmed and compressed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a clip was captured.

    Attributes:
        name: written to the metadata; the clip's domain.
        gain: multiplies red, green and blue (colour cast and exposure).
        saturation: 1 keeps colours, 0 removes them.
        light: direction the light comes from (right, down), its length the strength of the fall-off.
        background: which pattern stands behind the head.
        backdrop: the pattern's mean colour.
        noise: standard deviation of the sensor noise, on a scale where white is 1.
        blur: passes of a binomial filter of three pixels.
        crf: constant rate factor of x264; 23 is its default, 6 more about halve the bits.
    """

    name: str
    gain: tuple[float, float, float]
    saturation: float
    light: tuple[float, float]
    background: str
    backdrop: tuple[float, float, float]
    noise: float
    blur: int
    crf: int


STYLES = (
    Style(
        name="studio",
        gain=(1.05, 1.04, 1.02),
        saturation=1.0,
        light=(-0.10, -0.16),
        background="gradient",
        backdrop=(0.62, 0.64, 0.68),
        noise=0.006,
        blur=0,
        crf=20,
    ),
    Style(
        name="daylight",
        gain=(0.98, 1.05, 1.10),
        saturation=1.05,
        light=(0.24, -0.20),
        background="foliage",
        backdrop=(0.42, 0.55, 0.36),
        noise=0.010,
        blur=0,
        crf=23,
    ),
    Style(
        name="tungsten",
        gain=(1.08, 0.88, 0.64),
        saturation=0.95,
        light=(-0.34, -0.05),
        background="panels",
        backdrop=(0.52, 0.40, 0.28),
        noise=0.018,
        blur=0,
        crf=25,
    ),
    Style(
        name="night",
        gain=(0.62, 0.70, 0.92),
        saturation=0.7,
        light=(0.42, 0.06),
        background="bokeh",
        backdrop=(0.12, 0.13, 0.18),
        noise=0.022,
        blur=0,
        crf=26,
    ),
    Style(
        name="webcam",
        gain=(0.92, 1.00, 0.90),
        saturation=0.8,
        light=(0.05, -0.28),
        background="shelves",
        backdrop=(0.55, 0.52, 0.48),
        noise=0.014,
        blur=1,
        crf=31,
    ),
    Style(
        name="archive",
        gain=(1.12, 1.06, 0.96),
        saturation=0.0,
        light=(-0.22, -0.22),
        background="gradient",
        backdrop=(0.30, 0.30, 0.30),
        noise=0.026,
        blur=1,
        crf=24,
    ),
)
"""Every clip has one of these, whatever its class and identity."""
