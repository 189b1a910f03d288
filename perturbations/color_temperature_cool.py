"""Light of a higher colour temperature than the camera was balanced for."""

from perturbations._colour import planckian
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._curve import look_up


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The gains of the three channels in linear light, as tone curves."""
    return planckian(level)


color_temperature_cool = Perturbation(
    title="Colour temperature, cool",
    family="colour",
    unit="black-body temperature of the light in kelvin, relative to 6500 K",
    levels=(7500.0, 8500.0, 10000.0, 12000.0, 15000.0),
    granularity="clip",
    label_preserving="yes",
    source="Planckian Jitter's range (Zini et al. 2023) above 6500 K",
    draw=draw,
    apply=look_up,
    keyed=False,
)
