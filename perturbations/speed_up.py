"""Played too fast: the end comes early and its last frame is held."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, paced, reorder


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The speed, or in short clips the least that shows; nothing is random.

    The last frame is shown last at any speed, so that two frames leave nothing to skip.
    """
    last = shape.frames - 1
    least = (last - 1 / 8) / (last - 1) if last > 1 else level
    return order(paced(max(level, least), shape.frames, last))


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
