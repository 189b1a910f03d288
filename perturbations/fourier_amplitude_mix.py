"""A different look: the amplitude spectrum mixed with a donor's, the phase kept."""

from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import Params, Perturbation
from perturbations._donors import towards_a_donor
from perturbations._spectrum import donor_amplitude, with_amplitude


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame with amplitudes (1 - share) own + share donor's."""
    foreign = donor_amplitude(params["host_donor"], pixels)[:, None]
    share = params["share"].view(-1, 1, 1, 1, 1)
    return with_amplitude(pixels, lambda own: own.lerp(foreign, share))


fourier_amplitude_mix = Perturbation(
    title="Fourier amplitude mix",
    family="style",
    unit="share of the donor's amplitude",
    levels=(0.2, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="FACT's amplitude mix (Xu et al. 2021), with a procedural donor",
    draw=towards_a_donor,
    apply=apply,
)
