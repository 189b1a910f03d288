"""Played too fast: the end comes early and its last frame is held."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, paced, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The speed; nothing is random."""
    return order(paced(level, shape.frames, shape.frames - 1))


speed_up = Perturbation(
    title="Speed up",
    family="temporal_rate",
    unit="factor on the speed",
    levels=(1.25, 1.5, 2.0, 3.0, 4.0),
    granularity="clip",
    label_preserving="yes",
    source="sampling of Schiappa et al. (2023), repaired to keep the clip's length",
    draw=draw,
    apply=reorder,
    whole_batch=True,
    keyed=False,
)
