"""High sensitivity: photon noise that grows with the light and read noise that does not."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._noise import add_sensor_noise, sensor_noise

READ = (0.01, 0.02, 0.03, 0.05, 0.08)
PHOTON = (0.002, 0.005, 0.01, 0.02, 0.04)


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The noise's key and its two magnitudes."""
    return sensor_noise(along(level, READ, PHOTON), level, key)


iso_noise = Perturbation(
    title="ISO noise",
    family="noise",
    unit="read noise b, fraction of full scale; variance a x + b^2 with a = 0.002, 0.005, 0.01, 0.02, 0.04",
    levels=READ,
    granularity="frame",
    label_preserving="yes",
    source="idea of 3D Common Corruptions iso_noise (Kar et al. 2022); levels own",
    draw=draw,
    apply=add_sensor_noise,
)
