"""A low frame rate: every n-th frame is kept and held."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, order, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The stride; nothing is random."""
    stride = max(2, count(level, shape.frames))
    return order([moment // stride * stride for moment in range(shape.frames)])


frame_rate_reduction = Perturbation(
    title="Frame rate reduction",
    family="temporal_rate",
    unit="distance of kept frames, share of the clip (2, 3, 4, 6, 8 frames of 16)",
    levels=(2 / 16, 3 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C frame_rate (Yi et al. 2021), with frames held to keep the clip's length",
    draw=draw,
    apply=reorder,
    whole_batch=True,
    keyed=False,
)
