"""Colour in a clip's own terms: luma, HSV saturation and hue, and the colour of light."""

from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from perturbations._contract import Params
from perturbations._curve import curves
from perturbations._pixels import per_clip, to_pixels

LUMA = (38, 75, 15)
"""ITU-R BT.601 luma weights (0.299, 0.587, 0.114) in 1/128, so that sums of 8-bit values fit 16 bits."""
WHITE = 6500.0
"""The colour temperature in kelvin that cameras are balanced for."""


def fade(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Each pixel's mixture with its luma: a share of ``colour``, in 1/128 (0: greyscale)."""
    values = pixels.to(torch.int16)
    red, green, blue = values.unbind(2)
    luma = (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2]).add_(64).bitwise_right_shift_(7)
    share = per_clip((params["colour"] * 128).round().to(torch.int16))
    grey = luma[:, :, None].mul_(128 - share).add_(64)
    return values.mul_(share).add_(grey).bitwise_right_shift_(7).to(torch.uint8)


def saturate(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """HSV saturation times ``factor``, at most one; hue and value kept.

    In RGB: each channel's distance below the largest grows by min(factor, 1 / saturation).
    """
    high = pixels.amax(2, keepdim=True)
    chroma = high - pixels.amin(2, keepdim=True)
    growth = (high.to(torch.float32) / chroma.clamp(min=1)).minimum(per_clip(params["factor"]))
    return to_pixels((pixels.to(torch.float32) - high).mul_(growth).add_(high))


def turn_hue(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """HSV hue turned by ``turn`` of the circle; saturation and value kept.

    A channel at hue distance d (in sixths of the circle) from the turned hue is high - chroma * clamp(d - 1, 0, 1).
    """
    values = pixels.to(torch.float32)
    high = values.amax(2)
    chroma = high - values.amin(2)
    hue = _hue(values, high, chroma) + 6 * params["turn"].view(-1, 1, 1, 1)
    channels = []
    for place in (0, 2, 4):
        distance = (hue - (place - 3)).remainder_(6).sub_(3).abs_()
        channels.append(high - distance.sub_(1).clamp_(0, 1).mul_(chroma))
    return to_pixels(torch.stack(channels, dim=2))


def _hue(
    values: Float32[Tensor, "b t 3 h w"], high: Float32[Tensor, "b t h w"], chroma: Float32[Tensor, "b t h w"]
) -> Float32[Tensor, "b t h w"]:
    """HSV hue in sixths of the circle, from red; 0 for greys."""
    red, green, blue = values.unbind(2)
    scale = chroma.clamp(min=1)
    of_blue = (red - green).div_(scale).add_(4)
    of_green = (blue - red).div_(scale).add_(2)
    of_red = (green - blue).div_(scale)
    return torch.where(high == red, of_red, torch.where(high == green, of_green, of_blue))


@lru_cache(maxsize=64)
def planckian(kelvin: float) -> Params:
    """Tone curves of black-body light of a temperature, relative to that of 6500 K, at the same green.

    Chromaticity of the Planckian locus by the cubic fit of Kim et al. (US patent 7,024,034), 1667 to 25000 K; gains are
    taken in linear sRGB (IEC 61966-2-1).
    """
    gains = [light / white for light, white in zip(_linear_rgb(kelvin), _linear_rgb(WHITE), strict=True)]
    return curves(*(_lit(gain / gains[1]) for gain in gains))


def _lit(gain: float) -> Callable[[float], float]:
    """The tone curve of a gain in linear light."""
    return lambda value: _encode(gain * _decode(value))


def _linear_rgb(kelvin: float) -> tuple[float, float, float]:
    """Linear sRGB of black-body light at luminance one."""
    x, y = _locus(kelvin)
    above, beyond = x / y, (1 - x - y) / y
    return (
        3.2406 * above - 1.5372 - 0.4986 * beyond,
        -0.9689 * above + 1.8758 + 0.0415 * beyond,
        0.0557 * above - 0.2040 + 1.0570 * beyond,
    )


def _locus(kelvin: float) -> tuple[float, float]:
    """Chromaticity x, y of black-body light between 2222 and 25000 K."""
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = _cubic(t, (-0.2661239, -0.2343589, 0.8776956, 0.179910))
        return x, _cubic(x, (-0.9549476, -1.37418593, 2.09137015, -0.16748867))
    x = _cubic(t, (-3.0258469, 2.1070379, 0.2226347, 0.240390))
    return x, _cubic(x, (3.0817580, -5.87338670, 3.75112997, -0.37001483))


def _cubic(value: float, coefficients: tuple[float, float, float, float]) -> float:
    third, second, first, constant = coefficients
    return ((third * value + second) * value + first) * value + constant


def _decode(value: float) -> float:
    """Linear light of an sRGB value."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encode(light: float) -> float:
    """SRGB value of linear light."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
