"""A long exposure: every frame is the mean of its neighbours in time."""

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
    """The mean of each frame's window, the first and last frames repeated beyond the ends."""
    return by_value(pixels, params["host_window"].tolist(), _mean_of_windows)


def _mean_of_windows(clips: UInt8[Tensor, "n t c h w"], window: int) -> UInt8[Tensor, "n t c h w"]:
    """Each window is the one before it, with a frame added and one taken away."""
    wide = torch.int16 if window * 255 < 2**15 else torch.int32
    frames, last = clips.to(wide).unbind(1), clips.shape[1] - 1
    shown = [frames[min(max(moment - window // 2, 0), last)] for moment in range(last + window)]
    sums = [torch.stack(shown[:window]).sum(0, dtype=wide)]
    for old, new in zip(shown, shown[window:], strict=False):
        sums.append(sums[-1] + new - old)
    return to_pixels(torch.stack(sums, 1).to(torch.float32) / window)


temporal_blur = Perturbation(
    title="Temporal blur",
    family="temporal_rate",
    unit="length of the mean, share of the clip (2, 3, 4, 6, 8 frames of 16)",
    levels=(2 / 16, 3 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C motion_blur (Yi et al. 2021), keeping the clip's length",
    draw=draw,
    apply=apply,
    keyed=False,
)
