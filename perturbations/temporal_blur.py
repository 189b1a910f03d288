"""A long exposure: every frame is the mean of its neighbours in time."""

from itertools import pairwise

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count
from perturbations._groups import by_value
from perturbations._pixels import to_pixels


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How many frames are averaged; nothing is random."""
    return {"host_window": torch.tensor(max(2, count(level, shape.frames)))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The mean of the window about each frame, the first and last frames repeated beyond the ends.

    A window of an even number of frames reaches half a frame farther either way: of one frame more, the outer two count
    half, so that no moment is shown late.
    """
    return by_value(pixels, params["host_window"].tolist(), _mean_of_windows)


def _mean_of_windows(clips: UInt8[Tensor, "n t c h w"], window: int) -> UInt8[Tensor, "n t c h w"]:
    """Each window is the one before it, with a frame added and one taken away."""
    # a mean of an even number of frames is that of two windows, which lie half a frame early and half a frame late
    windows = 2 - window % 2
    wide = torch.int16 if windows * window * 255 < 2**15 else torch.int32
    frames, last = clips.to(wide).unbind(1), clips.shape[1] - 1
    shown = [frames[min(max(moment - window // 2, 0), last)] for moment in range(last + window + windows - 1)]
    sums = [torch.stack(shown[:window]).sum(0, dtype=wide)]
    for old, new in zip(shown, shown[window:], strict=False):
        sums.append(sums[-1] + new - old)
    if windows == 2:
        sums = [early + late for early, late in pairwise(sums)]
    return to_pixels(torch.stack(sums, 1).to(torch.float32) / (windows * window))


temporal_blur = Perturbation(
    title="Temporal blur",
    family="temporal_rate",
    unit="length of the mean, share of the clip (2, 3, 4, 6, 8 frames of 16)",
    levels=(2 / 16, 3 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C motion_blur (Yi et al. 2021), centred and keeping the clip's length",
    draw=draw,
    apply=apply,
    keyed=False,
)
