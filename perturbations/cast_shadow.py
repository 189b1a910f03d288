"""A cast shadow: an irregular region of plasma darkened for the whole clip."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar, to_pixels
from perturbations._plasma import plasma

ROUGHNESS = 0.5
SHADED = 0.5


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The plasma's key and the depth of the shade."""
    return {"key": torch.tensor(key), "depth": scalar(level)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Values times 1 - depth where the plasma lies below one half, the edge softened over a tenth of its range."""
    roughness = torch.full_like(params["depth"], ROUGHNESS)
    field = plasma(params["key"], pixels.shape[-2], pixels.shape[-1], roughness)
    shade = ((SHADED - field) * 10 + 0.5).clamp_(0, 1) * params["depth"][:, None, None]
    return to_pixels(pixels * (1 - shade)[:, None, None])


cast_shadow = Perturbation(
    title="Cast shadow",
    family="illumination",
    unit="share of light taken from the shaded region",
    levels=(0.2, 0.35, 0.5, 0.65, 0.8),
    granularity="clip",
    label_preserving="yes",
    source="TorMentor's plasma shadow (Nicolaou et al. 2022), as in kornia's RandomPlasmaShadow; levels own",
    draw=draw,
    apply=apply,
)
