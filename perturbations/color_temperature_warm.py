"""Light of a lower colour temperature than the camera was balanced for."""

from perturbations._colour import planckian
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._curve import look_up


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The gains of the three channels in linear light, as tone curves."""
    return planckian(level)


color_temperature_warm = Perturbation(
    title="Colour temperature, warm",
    family="colour",
    unit="black-body temperature of the light in kelvin, relative to 6500 K",
    levels=(5500.0, 5000.0, 4500.0, 4000.0, 3500.0),
    granularity="clip",
    label_preserving="yes",
    source="Planckian Jitter's range (Zini et al. 2023) below 6500 K",
    draw=draw,
    apply=look_up,
    keyed=False,
)
