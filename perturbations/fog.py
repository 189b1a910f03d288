"""Fog: a plasma veil over the clip that lifts the blacks."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._pixels import per_clip, scalar, to_pixels
from perturbations._plasma import plasma

ROUGHNESS = 0.5
"""Our own, at every strength: as rough as the roughest of ImageNet-C's, with a wibble decay of 1.4."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The veil's key, strength and roughness."""
    return {"key": torch.tensor(key), "strength": scalar(level), "roughness": scalar(ROUGHNESS)}


def draw_decaying(level: float, decay: float, key: int, shape: ClipShape) -> Params:
    """The same as rough as ImageNet-C's with a wibble decay.

    A displacement there is the wibble times a fraction of the wibble, and the wibble is divided by the decay from one
    octave to the next: the roughness is the decay to the power of -2 (``plasma_fractal`` of the authors' code).
    """
    return {"key": torch.tensor(key), "strength": scalar(level), "roughness": scalar(decay**-2)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Strength times the plasma added, then scaled so that the clip's brightest value stays."""
    veils = plasma(params["key"], pixels.shape[-2], pixels.shape[-1], params["roughness"])
    strength = per_clip(params["strength"]) * 255
    brightest = pixels.flatten(1).amax(1).to(torch.float32).view(-1, 1, 1, 1, 1)
    return to_pixels((pixels + strength * veils[:, None, None]) * (brightest / (brightest + strength)))


fog = Perturbation(
    title="Fog",
    family="weather",
    unit="strength of the veil relative to full scale",
    levels=(0.4, 0.7, 1.0, 1.5, 2.0),
    granularity="clip",
    label_preserving="yes",
    source="Tiny-ImageNet-C fog strengths (Hendrycks and Dietterich 2019); one roughness, one veil a clip",
    draw=draw,
    apply=apply,
    second=SecondParameter("wibble decay of the veil's octaves", draw_decaying),
)
