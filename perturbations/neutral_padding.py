"""A clip that starts too early: its first frame is held, the tail is cut."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, order, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How long the first frame is held; nothing is random."""
    held = count(level, shape.frames, shape.frames - 1)
    return order([max(0, moment - held) for moment in range(shape.frames)])


neutral_padding = Perturbation(
    title="Neutral padding",
    family="temporal_rate",
    unit="share of the clip added in front",
    levels=(0.1, 0.2, 0.3, 0.45, 0.6),
    granularity="clip",
    label_preserving="yes",
    source="own; the noisy and neutral frames that NR-DFERNet (Li et al. 2022) suppresses",
    draw=draw,
    apply=reorder,
    whole_batch=True,
    keyed=False,
)
