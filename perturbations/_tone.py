"""Brightness and contrast: one gain and one offset for a whole clip."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from perturbations._contract import Params
from perturbations._pixels import per_clip, scalar, to_pixels


def offset(fraction: float) -> Params:
    """Parameters of ``shift``: a fraction of the full range for all channels, rounded to 8-bit steps."""
    return {"offset": torch.tensor([round(255 * fraction)], dtype=torch.int16)}


def shift(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """All channels, or each by its own, raised by the clip's ``offset``, saturating at black and white."""
    offset = params["offset"][:, None, :, None, None]
    most, least = (255 - offset.clamp(min=0)).to(torch.uint8), (-offset).clamp_(min=0).to(torch.uint8)
    spoilt = pixels.minimum(most)
    # bytes count modulo 256: adding 256 - n takes n away
    return torch.maximum(spoilt, least, out=spoilt).add_(offset.to(torch.uint8))


def value_offset(fraction: float) -> Params:
    """Parameters of ``shift_value``: a fraction of the full range."""
    return {"value_offset": scalar(255 * fraction)}


def shift_value(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The HSV value raised by the clip's ``value_offset``, hue and saturation kept; black becomes a grey."""
    high = pixels.amax(2, keepdim=True)
    # black is all channels at their largest, though that is none: as if it were at the smallest step
    values = pixels.maximum((high == 0).to(torch.uint8)).to(torch.float32)
    raised = high.to(torch.float32).add_(per_clip(params["value_offset"])).clamp_(0, 255)
    return to_pixels(values.mul_(raised).div_(high.clamp(min=1)))


def shift_either(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """``shift`` or ``shift_value``, whichever the parameters are of."""
    return shift(pixels, params) if "offset" in params else shift_value(pixels, params)


def gain(factor: float) -> Params:
    """Parameters of ``multiply`` and of ``stretch``."""
    return {"gain": scalar(factor)}


def multiply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value times the clip's ``gain``."""
    return to_pixels(pixels * per_clip(params["gain"]))


def gains_of_frames(gains: list[float]) -> Params:
    """Parameters of ``multiply_frames``."""
    return {"gain": torch.tensor(gains, dtype=torch.float32)}


def multiply_frames(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame times its own ``gain``."""
    return to_pixels(pixels * params["gain"][:, :, None, None, None])


def stretch(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value's distance from its channel's mean over the clip, times the clip's ``gain``.

    kornia's ``RandomContrast`` multiplies the values themselves, which darkens; this keeps the mean brightness.
    """
    values = pixels.to(torch.float32)
    mean = channel_means(values)
    gain = per_clip(params["gain"])
    return to_pixels(values.mul_(gain).add_(mean - mean * gain))


def channel_means(values: Float32[Tensor, "b t c h w"]) -> Float32[Tensor, "b 1 c 1 1"]:
    """Each channel's mean over frames and pixels; sums of 8-bit values are exact, by rows and then in doubles."""
    total = values.sum(4).sum((1, 3), dtype=torch.float64)
    count = values.shape[1] * values.shape[3] * values.shape[4]
    return (total / count).to(torch.float32)[:, None, :, None, None]
