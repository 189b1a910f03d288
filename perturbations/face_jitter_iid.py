"""A face detector run on every frame alone: the crop jumps in place, scale and roll."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._jitter import jitter
from perturbations._warp import warp


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """An independent crop for each frame."""
    return jitter(level, key, shape, memory=0.0)


face_jitter_iid = Perturbation(
    title="Face jitter, frame by frame",
    family="geometry",
    unit="standard deviation of the shift, fraction of the frame's height, with scale 0.01-0.08 and roll 0.5-6 degrees",
    levels=(0.005, 0.01, 0.02, 0.03, 0.05),
    granularity="frame",
    label_preserving="yes",
    source="own; no anchor perturbs the face tracker",
    draw=draw,
    apply=warp,
)
