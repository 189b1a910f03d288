"""An unsteady face tracker: the crop wanders smoothly in place, scale and roll."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._jitter import jitter
from perturbations._warp import warp

MEMORY = 0.9
"""Correlation of moments a sixteenth of the clip apart."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """An autoregressive walk of the crop, whose memory is lost at one pace in clips of any length."""
    return jitter(level, key, shape, memory=MEMORY ** (16 / max(shape.frames, 1)))


face_jitter = Perturbation(
    title="Face jitter",
    family="geometry",
    unit="standard deviation of the shift, fraction of the frame's height, with scale 0.01-0.08 and roll 0.5-6 degrees",
    levels=(0.005, 0.01, 0.02, 0.03, 0.05),
    granularity="coherent",
    label_preserving="yes",
    source="own; no anchor perturbs the face tracker",
    draw=draw,
    apply=warp,
)
