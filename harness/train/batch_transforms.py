"""Mixtures of clips and of their labels: mixup, CutMix and VideoMix on a batch.

All three pair each clip with another one of the batch by a permutation, draw one share per batch from Beta(alpha,
alpha), and give the mixed clip the labels of both in the shares that its pixels have.
"""

from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

MixName = Literal["mixup", "cutmix", "videomix"]


class Mixed(NamedTuple):
    """Clips in [0, 1], and their class probabilities."""

    clips: Float[Tensor, "b t c h w"]
    distributions: Float[Tensor, "b k"]


class Cuboid(NamedTuple):
    """A part of a clip in frames, rows and columns."""

    frames: slice
    rows: slice
    columns: slice


def mix(
    name: MixName,
    clips: Float[Tensor, "b t c h w"],
    distributions: Float[Tensor, "b k"],
    alpha: float,
    generator: np.random.Generator,
) -> Mixed:
    """A mixed batch; neither input is changed.

    ``mixup`` adds clips in proportion (Zhang et al., ICLR 2018), ``cutmix`` pastes one box into all frames (Yun et al.,
    ICCV 2019; the spatial VideoMix), ``videomix`` pastes a box in space and time (Yun et al., arXiv 2012.03457).

    Args:
        name: which of the three.
        clips: float in [0, 1].
        distributions: class probabilities of each clip, one-hot for hard labels.
        alpha: both parameters of the Beta distribution; 1 draws shares evenly.
        generator: of the share, the pairing and the box.
    """
    share = float(generator.beta(alpha, alpha))
    partners = torch.from_numpy(generator.permutation(len(clips))).to(clips.device)
    if name == "mixup":
        mixed = share * clips + (1 - share) * clips[partners]
    else:
        cuboid = draw_cuboid(clips.shape, 1 - share, generator, in_time=name == "videomix")
        share = 1 - _volume(cuboid) / (clips.shape[1] * clips.shape[3] * clips.shape[4])
        window = (slice(None), cuboid.frames, slice(None), cuboid.rows, cuboid.columns)
        mixed = clips.clone()
        mixed[window] = clips[partners][window]
    return Mixed(mixed, share * distributions + (1 - share) * distributions[partners])


def draw_cuboid(shape: torch.Size, share: float, generator: np.random.Generator, *, in_time: bool) -> Cuboid:
    """A box of about the asked share of a clip ``b t c h w``, around an evenly drawn centre, cut off at the borders.

    Its sides are the clip's times the square root of the share, or the cube root if it is bounded in time too.
    """
    frames, _, height, width = shape[1:]
    factor = share ** (1 / 3) if in_time else share**0.5
    rows = _draw_side(height, factor, generator)
    columns = _draw_side(width, factor, generator)
    return Cuboid(_draw_side(frames, factor, generator) if in_time else slice(0, frames), rows, columns)


def _draw_side(length: int, factor: float, generator: np.random.Generator) -> slice:
    """A stretch of a side around an evenly drawn centre."""
    extent = round(length * factor)
    start = int(generator.integers(length)) - extent // 2
    return slice(max(start, 0), min(start + extent, length))


def _volume(cuboid: Cuboid) -> int:
    """Frames times pixels."""
    sides = (side.stop - side.start for side in cuboid)
    return int(np.prod(list(sides)))
