"""Lost packets: tiles of the picture stay behind until the next key frame."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import uniform

TILES = 8
KEY_FRAMES = 0.5
"""From one key frame to the next, share of the clip (8 frames of 16)."""
FRAMES = 16
"""Of the clip whose frames are lost with the level's chance."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """For each tile and moment, the frame that is shown: the tile's last good one until a key frame renews it.

    Each of 8 x 8 tiles is lost in each sixteenth of the clip with the level's chance, at any of the moments that lie
    in it; the first frame arrives whole, and a tile lost at a key frame stays behind until the next one.
    """
    chance = 1 - (1 - level) ** (FRAMES / max(shape.frames, 1))
    lost = uniform(torch.tensor([key]), 0, (shape.frames, TILES, TILES))[0] < chance
    lost[0] = False
    apart = max(1, round(KEY_FRAMES * shape.frames))
    moments = torch.arange(shape.frames, dtype=torch.int16).view(-1, 1, 1)
    broken = torch.cat([group.to(torch.uint8).cummax(0).values for group in lost.split(apart)])
    return {"shown": torch.where(broken == 0, moments, 0).cummax(0).values}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every tile taken from the frame that it shows."""
    height, width = pixels.shape[-2:]
    rows = torch.arange(height, device=pixels.device) * TILES // height
    columns = torch.arange(width, device=pixels.device) * TILES // width
    shown = params["shown"].to(torch.int64)[:, :, rows][..., columns][:, :, None]
    return pixels.gather(1, shown.expand(pixels.shape))


packet_loss = Perturbation(
    title="Packet loss",
    family="temporal_loss",
    unit="chance that a tile is lost, for each tile and sixteenth of the clip",
    levels=(0.02, 0.05, 0.1, 0.2, 0.3),
    granularity="frame",
    label_preserving="yes",
    source="packet loss of mini Kinetics-C (Yi et al. 2021) and temporal-action-detection-C (Zeng et al. 2024)",
    draw=draw,
    apply=apply,
)
