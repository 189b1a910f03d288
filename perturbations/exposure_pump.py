"""Hunting automatic exposure: the brightness swings up and down."""

import math

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._tone import gains_of_frames, multiply_frames


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A sinusoid of one to two periods over the clip, at a random phase."""
    draws = Draws(key)
    pace, phase = 2 * math.pi * draws.uniform(1, 2) / shape.frames, draws.uniform(0, 2 * math.pi)
    gains = [1 + level * math.sin(phase + pace * moment) for moment in range(shape.frames)]
    return gains_of_frames(gains)


exposure_pump = Perturbation(
    title="Exposure pumping",
    family="temporal_light",
    unit="amplitude of the gain",
    levels=(0.05, 0.1, 0.2, 0.3, 0.4),
    granularity="coherent",
    label_preserving="yes",
    source="own; automatic exposure",
    draw=draw,
    apply=multiply_frames,
)
