"""Rain: slanted streaks, new in every frame, under a darker sky."""

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._pixels import per_clip, scalar, to_pixels
from perturbations._random import uniform

DROPS = (65, 65, 65, 100, 125)
LENGTH = (10 / 224, 30 / 224, 60 / 224, 60 / 224, 80 / 224)
SKY = (0.8, 0.8, 0.7, 0.6, 0.5)
GREY = 200.0
OPACITY = 0.6


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The streaks' key, number and length, and the darkness of the sky."""
    severity = (1.0, 2.0, 3.0, 4.0, 5.0)
    return {
        "key": torch.tensor(key),
        "host_drops": torch.tensor(round(along(level, severity, DROPS))),
        "host_length": torch.tensor(max(1, round(along(level, severity, LENGTH) * shape.height))),
        "sky": scalar(along(level, severity, SKY)),
    }


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Darkened frames with streaks of grey let into them."""
    sizes = zip(params["key"], params["host_drops"].tolist(), params["host_length"].tolist(), strict=True)
    streaks = torch.stack([_streaks(key, drops, length, pixels) for key, drops, length in sizes])[:, :, None]
    light = streaks.to(torch.float32)
    dark = (pixels * per_clip(params["sky"])).mul_(1 - OPACITY * light)
    return to_pixels(dark.add_(OPACITY * GREY * light))


def _streaks(key: Tensor, drops: int, length: int, pixels: UInt8[Tensor, "b t c h w"]) -> Bool[Tensor, "t h w"]:
    """Where the streaks of each frame are: lines of one slant a clip, of a length, one pixel wide."""
    frames, _, height, width = pixels.shape[1:]
    slant = uniform(key[None], 1, (1,))[0] - 0.5
    start = uniform(key[None], 0, (2, frames, drops, 1))[0]
    along_streak = torch.arange(length, device=pixels.device)
    down = (start[0] * (height + length)).floor().to(torch.int64) - length + along_streak
    right = (start[1] * width + slant * along_streak).floor().to(torch.int64).remainder(width)
    inside = (down >= 0) & (down < height)
    moments = torch.arange(frames, device=pixels.device)[:, None, None]
    places = (moments * height + down.clamp(0, height - 1)) * width + right
    # what lies outside marks a place beyond the end, so that nobody has to count it
    beyond = frames * height * width
    mask = torch.zeros(beyond + 1, dtype=torch.bool, device=pixels.device)
    mask.index_fill_(0, places.masked_fill_(~inside, beyond).flatten(), True)
    return mask[:beyond].view(frames, height, width)


rain = Perturbation(
    title="Rain",
    family="weather",
    unit="severity of mini Kinetics-C: streaks a frame 65, 65, 65, 100, 125; length 10-80 px at 224 px; sky 0.8-0.5",
    levels=(1.0, 2.0, 3.0, 4.0, 5.0),
    granularity="frame",
    label_preserving="yes",
    source="mini Kinetics-C rain (Yi et al. 2021), relative to the frame",
    draw=draw,
    apply=apply,
)
