"""A long exposure: every frame is the mean of its neighbours in time."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count
from perturbations._pixels import to_pixels


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """How many frames are averaged; nothing is random."""
    return {"window": torch.tensor(max(2, count(level, shape.frames)))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The mean of each frame's window, the first and last frames repeated beyond the ends."""
    frames = torch.arange(pixels.shape[1], device=pixels.device)
    spoilt = []
    for clip, window in zip(pixels, params["window"].tolist(), strict=True):
        total = torch.zeros(clip.shape, dtype=torch.int16, device=clip.device)
        for offset in range(-(window // 2), window - window // 2):
            total += clip[(frames + offset).clamp(0, len(clip) - 1)]
        spoilt.append(to_pixels(total / window))
    return torch.stack(spoilt)


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
)
