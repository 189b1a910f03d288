"""Training augmentation on the model's device: one draw per clip, the same for all its frames."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from harness.seeds import derive

CROP_AREA = (0.5, 1.0)
"""Share of the area that a random resized crop keeps. M3DFEL uses 0.08 to 1 on uncropped frames; below one half of an
aligned face crop the mouth or the brows leave the picture."""
CROP_RATIO = (3 / 4, 4 / 3)
JITTER = 0.4
"""Half-width of brightness, contrast and saturation factors (M3DFEL, CVPR 2023, released options)."""


def augment(
    clips: Float[Tensor, "b t c h w"], names: Sequence[str], seed: int, epoch: int, clip_ids: Sequence[str]
) -> Float[Tensor, "b t c h w"]:
    """Flip, crop and jitter clips in [0, 1]; draws are keyed by seed, epoch and clip, not by batch."""
    generators = [np.random.default_rng(derive(seed, "augment", epoch, clip_id)) for clip_id in clip_ids]
    if "flip" in names or "crop" in names:
        windows = np.stack([_window(generator, names) for generator in generators])
        clips = _resample(clips, torch.from_numpy(windows).to(clips))
    if "color_jitter" in names:
        factors = np.stack([generator.uniform(1 - JITTER, 1 + JITTER, size=3) for generator in generators])
        clips = _jitter(clips, torch.from_numpy(factors).to(clips))
    return clips


def _window(generator: np.random.Generator, names: Sequence[str]) -> np.ndarray:
    """Affine map ``2 3`` from output to input coordinates in [-1, 1]."""
    area = generator.uniform(*CROP_AREA)
    ratio = np.exp(generator.uniform(*np.log(CROP_RATIO)))
    shift = generator.uniform(-1, 1, size=2)
    mirrored = generator.random() < 0.5
    width, height = 1.0, 1.0
    if "crop" in names:
        width, height = min(1.0, np.sqrt(area * ratio)), min(1.0, np.sqrt(area / ratio))
    sign = -1.0 if "flip" in names and mirrored else 1.0
    return np.array([[sign * width, 0.0, shift[0] * (1 - width)], [0.0, height, shift[1] * (1 - height)]])


def _resample(clips: Float[Tensor, "b t c h w"], windows: Float[Tensor, "b 2 3"]) -> Float[Tensor, "b t c h w"]:
    """Bilinear sampling of all frames of a clip through one affine window."""
    batch, frames, channels, height, width = clips.shape
    flat = clips.reshape(batch, frames * channels, height, width)
    grid = F.affine_grid(windows, [batch, 1, height, width], align_corners=False)
    return F.grid_sample(flat, grid, padding_mode="border", align_corners=False).reshape(clips.shape)


def _jitter(clips: Float[Tensor, "b t c h w"], factors: Float[Tensor, "b 3"]) -> Float[Tensor, "b t c h w"]:
    """Brightness (product), contrast (about the clip's mean grey) and saturation (about each pixel's grey)."""
    brightness, contrast, saturation = factors[:, :, None, None, None, None].unbind(1)
    clips = (clips * brightness).clamp(0, 1)
    grey = _grey(clips)
    mean = grey.mean(dim=(1, 2, 3, 4), keepdim=True)
    clips = (mean + (clips - mean) * contrast).clamp(0, 1)
    grey = _grey(clips)
    return (grey + (clips - grey) * saturation).clamp(0, 1)


def _grey(clips: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t 1 h w"]:
    """Luma with the weights of ITU-R BT.601."""
    weights = clips.new_tensor([0.299, 0.587, 0.114]).reshape(1, 1, 3, 1, 1)
    return (clips * weights).sum(dim=2, keepdim=True)
