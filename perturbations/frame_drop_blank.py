"""Lost frames, unconcealed: black in their place, as where a face detector fails."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._frames import count
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Which frames are lost."""
    lost = torch.zeros(shape.frames, dtype=torch.bool)
    lost[Draws(key).subset(shape.frames, count(level, shape.frames, max(1, shape.frames - 1)))] = True
    return {"lost": lost}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Clips with the lost frames black."""
    return pixels.masked_fill(params["lost"][:, :, None, None, None], 0)


frame_drop_blank = Perturbation(
    title="Frame drop (blank)",
    family="temporal_loss",
    unit="share of frames lost",
    levels=(1 / 16, 2 / 16, 4 / 16, 6 / 16, 8 / 16),
    granularity="clip",
    label_preserving="yes",
    source="masked frames of temporal-action-detection-C (Zeng et al. 2024), as shares of the clip",
    draw=draw,
    apply=apply,
)
