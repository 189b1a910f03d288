"""Brightness and contrast: one gain and one offset for a whole clip."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import Params
from perturbations._pixels import per_clip, scalar, to_pixels


def offset(fraction: float) -> Params:
    """Parameters of ``shift``: a fraction of the full range, rounded to 8-bit steps."""
    return {"offset": torch.tensor(round(255 * fraction), dtype=torch.int16)}


def shift(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """All channels raised by the clip's ``offset``, saturating at black and white."""
    return (pixels.to(torch.int16) + per_clip(params["offset"])).clamp_(0, 255).to(torch.uint8)


def gain(factor: float) -> Params:
    """Parameters of ``multiply`` and of ``stretch``."""
    return {"gain": scalar(factor)}


def multiply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value times the clip's ``gain``."""
    return to_pixels(pixels * per_clip(params["gain"]))


def stretch(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value's distance from its channel's mean over the clip, times the clip's ``gain``.

    kornia's ``RandomContrast`` multiplies the values themselves, which darkens; this keeps the mean brightness.
    """
    mean = channel_means(pixels)
    return to_pixels((pixels - mean).mul_(per_clip(params["gain"])).add_(mean))


def channel_means(pixels: UInt8[Tensor, "b t c h w"]) -> Tensor:
    """Each channel's mean over frames and pixels, ``b 1 c 1 1``, from exact integer sums."""
    count = pixels[:, :, 0].numel() // max(len(pixels), 1)
    sums = pixels.sum(dim=(1, 3, 4), keepdim=True, dtype=torch.int64)
    return (sums.to(torch.float64) / count).to(torch.float32)
