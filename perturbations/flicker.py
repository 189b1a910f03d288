"""Flickering light: every frame has a brightness of its own."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._tone import gains_of_frames, multiply_frames


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """An independent gain for each frame, uniform within the level of one."""
    draws = Draws(key)
    gains = [1 + draws.uniform(-level, level) for _ in range(shape.frames)]
    return gains_of_frames(gains)


flicker = Perturbation(
    title="Flicker",
    family="temporal_light",
    unit="largest departure of the gain from one",
    levels=(0.05, 0.1, 0.2, 0.3, 0.4),
    granularity="frame",
    label_preserving="yes",
    source="own; 50 and 60 Hz light beating with the shutter",
    draw=draw,
    apply=multiply_frames,
)
