"""A long exposure: every frame is the mean of its neighbours in time."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count
from perturbations._pixels import to_pixels


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How many frames are averaged; nothing is random."""
    return {"host_window": torch.tensor(max(2, count(level, shape.frames)))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The mean of each frame's window, the first and last frames repeated beyond the ends."""
    clips = zip(pixels, params["host_window"].tolist(), strict=True)
    return torch.stack([_mean_of_windows(clip, window) for clip, window in clips])


def _mean_of_windows(clip: UInt8[Tensor, "t c h w"], window: int) -> UInt8[Tensor, "t c h w"]:
    """One clip; each window is the one before it, with a frame added and one taken away."""
    values, last = clip.to(torch.int16), len(clip) - 1
    total = values[[min(max(moment, 0), last) for moment in range(-(window // 2), window - window // 2)]].sum(
        0, dtype=torch.int16
    )
    sums = [total]
    for moment in range(1, len(clip)):
        new, old = moment + window - window // 2 - 1, moment - window // 2 - 1
        total = total + values[min(max(new, 0), last)] - values[min(max(old, 0), last)]
        sums.append(total)
    return to_pixels(torch.stack(sums) / window)


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
