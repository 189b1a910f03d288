"""A dim room: less light, and the photon and read noise that show when there is little of it."""

from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._noise import add_sensor_noise, sensor_noise
from perturbations._pixels import scalar
from perturbations._tone import multiply

GAINS = (0.6, 0.5, 0.4, 0.3, 0.2)
PHOTON = (0.002, 0.004, 0.006, 0.008, 0.01)
READ = (0.01, 0.015, 0.02, 0.025, 0.03)


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The light left, and the noise that goes with it."""
    return {"gain": scalar(level), **sensor_noise(along(level, GAINS, PHOTON), along(level, GAINS, READ), key)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Darkened frames with an independent draw of noise in each."""
    return add_sensor_noise(multiply(pixels, params), params)


low_light = Perturbation(
    title="Low light",
    family="illumination",
    unit="gain of every value, with photon noise of variance 0.002-0.01 x and read noise of 0.01-0.03",
    levels=GAINS,
    granularity="frame",
    label_preserving="yes",
    source="3D Common Corruptions low_light gains (Kar et al. 2022); noise levels own",
    draw=draw,
    apply=apply,
)
