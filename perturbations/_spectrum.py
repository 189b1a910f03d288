"""Amplitude spectra of frames, changed while the phases stay."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from perturbations._donors import donors
from perturbations._pixels import to_pixels

EMPTY = 1e-4
"""An amplitude below which a frequency is empty. Rounding in float64 leaves up to 1e-8 of one (for 8-bit values of a
million pixels; in float32, 0.3 or more); what a frequency of whole numbers does hold is hardly ever as little."""


def with_amplitude(
    pixels: UInt8[Tensor, "b t c h w"], change: Callable[[Tensor], Tensor]
) -> UInt8[Tensor, "b t c h w"]:
    """Every frame with its amplitudes (``b t c h v``, the half plane of a real transform) put through ``change``.

    An empty frequency, as all but the mean are in a flat frame, has no phase to keep and stays empty. That is seen in
    float64: in float32 it would hold rounding, whose phase is another one in every library.
    """
    spectrum = torch.fft.rfft2(pixels.to(torch.float64)).to(torch.complex64)
    amplitude = spectrum.abs()
    factor = torch.where(amplitude > EMPTY, change(amplitude) / amplitude, 0)
    return to_pixels(torch.fft.irfft2(spectrum.mul_(factor), s=pixels.shape[-2:]))


def donor_amplitude(index: Int64[Tensor, " b"], pixels: UInt8[Tensor, "b t c h w"]) -> Float32[Tensor, "b 3 h v"]:
    """The amplitude spectra of donors."""
    amplitude: Tensor = torch.fft.rfft2(donors(index, pixels).to(torch.float32)).abs()
    return amplitude


def low_frequencies(beta: Float32[Tensor, " b"], height: int, width: int) -> Bool[Tensor, "b h v"]:
    """The square of frequencies up to beta times the smaller side, in the half plane; never less than the mean."""
    reach = (beta * min(height, width)).floor()[:, None, None]
    down = torch.arange(height, device=beta.device)
    down = torch.minimum(down, height - down)[:, None]
    return (down <= reach) & (torch.arange(width // 2 + 1, device=beta.device) <= reach)
