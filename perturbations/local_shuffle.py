"""Order destroyed locally: the frames of each short window change places."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import changed, order, reorder
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """A permutation of each window of the level's length, not all as they are; windows begin at the first frame."""
    draws, window = Draws(key), max(2, round(level * shape.frames))

    def windows() -> list[int]:
        index: list[int] = []
        for start in range(0, shape.frames, window):
            index += [start + place for place in draws.permutation(min(window, shape.frames - start))]
        return index

    return order(changed(windows))


local_shuffle = Perturbation(
    title="Local shuffle",
    family="temporal_order",
    unit="length of the windows, share of the clip (2, 3, 4, 6, 8 frames of 16)",
    levels=(2 / 16, 3 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="order",
    source="jumble of Schiappa et al. (2023), relative to the clip and in the right direction",
    draw=draw,
    apply=reorder,
    whole_batch=True,
)
