"""The donor bank: procedural portraits that style shifts borrow statistics from and trackers jump to.

No photograph is shipped and no other clip is read, so what a clip becomes never depends on the clips beside it. A donor
is a function of (bank version, index, height, width) in exact arithmetic: smooth textured ground, a lit ellipse for a
head, two eyes and a mouth.
"""

from functools import lru_cache

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params
from perturbations._pixels import scalar
from perturbations._probe import texture
from perturbations._random import Draws, mix

BANK_VERSION = 1
COUNT = 32
SKIN = ((255, 224, 196), (234, 192, 150), (198, 134, 86), (141, 85, 50), (92, 58, 36))
"""Five skin tones from light to dark (own choice, spread over the Fitzpatrick scale)."""


@lru_cache(maxsize=256)
def donor(index: int, height: int, width: int) -> UInt8[Tensor, "3 h w"]:
    """One portrait of the bank.

    Args:
        index: 0 to COUNT - 1.
        height: in pixels.
        width: in pixels.
    """
    key = mix(BANK_VERSION * COUNT + index) >> 1
    draws = Draws(key)
    tint = torch.tensor([0.25 + 0.75 * draws.integer(257) / 256 for _ in range(3)], dtype=torch.float32).view(3, 1, 1)
    picture = texture(height, width, key) * tint
    place = torch.arange(width, dtype=torch.float32) / width
    lamp = 0.75 + 0.5 * (place if draws.sign() > 0 else 1 - place)
    skin = torch.tensor(SKIN[draws.integer(len(SKIN))]).view(3, 1, 1) * lamp
    picture = _ellipse(picture, skin + 0.375 * (picture - 128), (0.5, 0.5), (0.45, 0.35))
    for side in (-1, 1):
        eye = 0.42, 0.5 + side * 0.15
        picture = _ellipse(picture, torch.full((3, 1, 1), 230.0, dtype=torch.float32), eye, (0.035, 0.07))
        picture = _ellipse(picture, torch.full((3, 1, 1), 24.0, dtype=torch.float32), eye, (0.03, 0.03))
    opening = 0.01 + 0.06 * draws.integer(257) / 256
    mouth = skin * torch.tensor([0.75, 0.375, 0.375], dtype=torch.float32).view(3, 1, 1)
    return _ellipse(picture, mouth, (0.72, 0.5), (opening, 0.14)).clamp_(0, 255).round_().to(torch.uint8)


def towards_a_donor(level: float, key: int, shape: ClipShape) -> Params:
    """Parameters of a style shift: the ``share`` of the way to a donor, and which it is."""
    return {"share": scalar(level), "host_donor": torch.tensor(Draws(key).integer(COUNT))}


def donors(index: Int64[Tensor, " b"], pixels: UInt8[Tensor, "b t c h w"]) -> UInt8[Tensor, "b 3 h w"]:
    """A portrait for each clip, of its frames' size, on its device."""
    height, width = pixels.shape[-2:]
    if pixels.is_cpu:
        return torch.stack([donor(each, height, width) for each in index.tolist()])
    return _bank(height, width, pixels.device).index_select(0, index.to(pixels.device, non_blocking=True))


@lru_cache(maxsize=8)
def _bank(height: int, width: int, device: torch.device) -> UInt8[Tensor, "n 3 h w"]:
    """All portraits on a device, where they stay."""
    return torch.stack([donor(index, height, width) for index in range(COUNT)]).to(device)


def _ellipse(
    picture: Float32[Tensor, "3 h w"],
    fill: Float32[Tensor, "3 u v"],
    centre: tuple[float, float],
    radii: tuple[float, float],
) -> Float32[Tensor, "3 h w"]:
    """The picture with an ellipse filled; centre and radii (down, right) in fractions of the frame."""
    height, width = picture.shape[-2:]
    y = ((torch.arange(height, dtype=torch.float32) + 0.5) / height - centre[0]) / radii[0]
    x = ((torch.arange(width, dtype=torch.float32) + 0.5) / width - centre[1]) / radii[1]
    return torch.where((y * y)[:, None] + x * x <= 1, fill, picture)
