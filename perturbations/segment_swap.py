"""Two neighbouring stretches of the clip change places."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Where the two stretches of the level's length lie."""
    block = max(1, min(round(level * shape.frames), shape.frames // 2))
    start = Draws(key).integer(shape.frames - 2 * block + 1)
    index = list(range(shape.frames))
    middle, end = start + block, start + 2 * block
    return order([*index[:start], *index[middle:end], *index[start:middle], *index[end:]])


segment_swap = Perturbation(
    title="Segment swap",
    family="temporal_order",
    unit="length of each stretch, share of the clip (1, 2, 3, 4, 8 frames of 16)",
    levels=(1 / 16, 2 / 16, 3 / 16, 4 / 16, 8 / 16),
    granularity="clip",
    label_preserving="order",
    source="box jumble of Schiappa et al. (2023), relative to the clip",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
