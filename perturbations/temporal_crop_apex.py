"""A clip cut too short: only the part about the apex is left, sampled again to the full length."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, crop, order, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The part left, a frame less than all at most; nothing is random."""
    kept = count(level, shape.frames, max(1, shape.frames - 1))
    return order(crop((shape.frames - kept) // 2, kept, shape.frames))


temporal_crop_apex = Perturbation(
    title="Temporal crop, apex",
    family="temporal_rate",
    unit="share of the clip that is left; little of the expression is left above severity 3",
    levels=(0.9, 0.75, 0.6, 0.4, 0.25),
    granularity="clip",
    label_preserving="yes",
    source="own; the segment samplers of dynamic facial expression recognition",
    draw=draw,
    apply=reorder,
    whole_batch=True,
    keyed=False,
)
