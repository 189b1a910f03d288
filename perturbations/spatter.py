"""Mud on the lens: smooth brown drops that stay where they are."""

from functools import lru_cache

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar, to_pixels
from perturbations._random import normal

GRID = 20
EDGE = 4.0
MUD = (63.0, 42.0, 20.0)


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The drops' key and the share of the frame they cover."""
    return {"key": torch.tensor(key), "share": scalar(level)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame with the same drops of mud, soft at their edges."""
    coarse = normal(params["key"], 0, (1, GRID, GRID))
    field = interpolate(coarse, size=pixels.shape[-2:], mode="bicubic")
    limits = torch.stack(
        [clip.flatten().quantile(1 - share) for clip, share in zip(field, params["share"], strict=True)]
    )
    cover = ((field - limits.view(-1, 1, 1, 1)) * EDGE + 0.5).clamp_(0, 1)[:, None]
    mud = _mud(pixels.device)
    return to_pixels(pixels * (1 - cover) + mud * cover)


@lru_cache(maxsize=8)
def _mud(device: torch.device) -> Float32[Tensor, "3 1 1"]:
    return torch.tensor(MUD, dtype=torch.float32, device=device).view(3, 1, 1)


spatter = Perturbation(
    title="Spatter",
    family="weather",
    unit="share of the frame covered",
    levels=(0.05, 0.1, 0.15, 0.2, 0.3),
    granularity="clip",
    label_preserving="yes",
    source="the mud of ImageNet-C spatter (Hendrycks and Dietterich 2019), graded by cover",
    draw=draw,
    apply=apply,
)
