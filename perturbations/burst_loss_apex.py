"""One gap in the stream, around the apex: the middle frames lost, the last one received held."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, hold, order, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A run of lost frames about the middle of the clip; nothing is random."""
    run = count(level, shape.frames, shape.frames - 1)
    start = max(1, (shape.frames - run + 1) // 2)
    return order(hold(range(start, start + run), shape.frames))


burst_loss_apex = Perturbation(
    title="Burst loss at the apex",
    family="temporal_loss",
    unit="length of the gap, share of the clip",
    levels=(2 / 16, 3 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="corruption at the centre hurts most in temporal-action-detection-C (Zeng et al. 2024)",
    draw=draw,
    apply=reorder,
    whole_batch=True,
    keyed=False,
)
