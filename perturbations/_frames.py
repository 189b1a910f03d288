"""Temporal perturbations as index maps: which frame is shown at each moment."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import Params


def count(level: float, frames: int, most: int | None = None) -> int:
    """A share of the clip in whole frames: at least one, at most ``most`` (default: all)."""
    return max(1, min(round(level * frames), frames if most is None else most))


def order(index: Sequence[int]) -> Params:
    """Parameters of ``reorder``: the source frame of every moment."""
    return {"index": torch.tensor(index)}


def changed(draw: Callable[[], list[int]]) -> list[int]:
    """The first of several index maps drawn that is not the clip as it is, which only a single frame's must be.

    >>> changed(iter([[0, 1], [0, 1], [1, 0]]).__next__)
    [1, 0]
    """
    index = draw()
    while len(index) > 1 and index == list(range(len(index))):
        index = draw()
    return index


def reorder(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Each clip's frames taken in the order of its ``index``."""
    first = torch.arange(len(pixels), device=pixels.device).mul_(pixels.shape[1])[:, None]
    return pixels.flatten(0, 1).index_select(0, (params["index"] + first).flatten()).view(pixels.shape)


def hold(lost: Sequence[int], frames: int) -> list[int]:
    """The index map that shows the last frame received wherever one is lost; the first known one at the start.

    >>> hold([0, 2, 3], 5)
    [1, 1, 1, 1, 4]
    """
    gone = set(lost)
    shown = min(set(range(frames)) - gone)
    index = []
    for moment in range(frames):
        shown = shown if moment in gone else moment
        index.append(shown)
    return index


def paced(speed: float, frames: int, last: int) -> list[int]:
    """The index map of a clip at a constant speed, from its first frame on, held at ``last``.

    A frame is shown an eighth of a moment early, so that a speed just below a simple fraction of frames a moment, where
    all frames would change at once, gives the same map.

    >>> paced(1.5, 6, 5), paced(1.49, 6, 5), paced(0.33, 6, 5)
    ([0, 1, 3, 4, 5, 5], [0, 1, 3, 4, 5, 5], [0, 0, 0, 1, 1, 1])
    """
    return [min(int(moment * speed + 1 / 8), last) for moment in range(frames)]


def crop(start: int, kept: int, frames: int) -> list[int]:
    """The index map that stretches ``kept`` frames from ``start`` on over the whole clip.

    A moment shows the kept frame that its middle falls on, so that what is left comes neither early nor late.

    >>> crop(2, 2, 4), crop(0, 3, 4)
    ([2, 2, 3, 3], [0, 1, 1, 2])
    """
    return [start + (2 * moment + 1) * kept // (2 * frames) for moment in range(frames)]
