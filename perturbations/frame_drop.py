"""Lost frames, concealed: the last frame received is held in their place."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count, hold, order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Which frames are lost; the first never is, so each lost one costs exactly one unique frame."""
    last = shape.frames - 1
    lost = Draws(key).subset(last, count(level, shape.frames, last)) if last else []
    return order(hold([1 + each for each in lost], shape.frames))


frame_drop = Perturbation(
    title="Frame drop (hold)",
    family="temporal_loss",
    unit="share of frames lost",
    levels=(1 / 16, 2 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="frame drops of temporal-action-detection-C (Zeng et al. 2024), as shares of the clip",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
