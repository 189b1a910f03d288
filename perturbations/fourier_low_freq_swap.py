"""A different look: the lowest frequencies take a donor's amplitude."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._donors import COUNT
from perturbations._pixels import scalar
from perturbations._random import Draws
from perturbations._spectrum import donor_amplitude, low_frequencies, with_amplitude


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Half the side of the square of swapped frequencies, and the donor."""
    return {"beta": scalar(level), "host_donor": torch.tensor(Draws(key).integer(COUNT))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame with the donor's amplitudes in the low frequencies."""
    height, width = pixels.shape[-2:]
    foreign = donor_amplitude(params["host_donor"], pixels)[:, None]
    swapped = low_frequencies(params["beta"], height, width)[:, None, None]
    return with_amplitude(pixels, lambda own: torch.where(swapped, foreign, own))


fourier_low_freq_swap = Perturbation(
    title="Fourier low-frequency swap",
    family="style",
    unit="half the side of the swapped square of frequencies, fraction of the frame's smaller side",
    levels=(0.01, 0.03, 0.05, 0.09, 0.15),
    granularity="clip",
    label_preserving="yes",
    source="FDA (Yang and Soatto 2020)",
    draw=draw,
    apply=apply,
)
