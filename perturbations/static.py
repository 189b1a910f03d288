"""No motion at all: the middle frame in place of all others."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The middle frame; nothing is random."""
    return order([shape.frames // 2] * shape.frames)


static = Perturbation(
    title="Static",
    family="temporal_order",
    unit="a single level",
    levels=(1.0, 1.0, 1.0, 1.0, 1.0),
    granularity="clip",
    label_preserving="order",
    source="bias probe: what a single frame tells",
    draw=draw,
    apply=reorder,
    whole_batch=True,
    keyed=False,
)
