"""Seen through frosted glass: every pixel shows a neighbour at random, between two slight blurs."""

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from perturbations._blur import blur, gaussian_kernel
from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import integers

REACHES = (1 / 112, 2 / 112, 3 / 112, 4 / 112, 5 / 112)
SIGMA = 0.7 / 224
STEPS = 256


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The glass's key, how far it scatters and half a pixel in 1/256 pixel, and the blur's kernel."""
    return {
        "key": torch.tensor(key),
        "reach": torch.tensor(round((level * shape.height + 0.5) * STEPS)),
        "kernel": gaussian_kernel(SIGMA * shape.height),
    }


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Blurred, scattered twice, blurred; the same glass before all frames.

    ImageNet-C swaps pixels one after the other, which no two devices would do alike at any speed; here each looks its
    neighbour up, which scatters as far.
    """
    seen = _scattered(params["key"], 0, params["reach"], pixels)
    seen = seen.gather(1, _scattered(params["key"], 1, params["reach"], pixels))
    clear = blur(pixels, params["kernel"]).flatten(1, 2).flatten(2)
    spoilt = clear.gather(2, seen[:, None].expand(clear.shape)).view(pixels.shape)
    return blur(spoilt, params["kernel"])


def _scattered(
    key: Int64[Tensor, " b"], stream: int, reach: Int64[Tensor, " b"], pixels: UInt8[Tensor, "b t c h w"]
) -> Int64[Tensor, "b p"]:
    """The pixel that each shows: up to the reach away along both sides, evenly, held inside the frame."""
    height, width = pixels.shape[-2:]
    chance = integers(key, stream, (2, height, width), 2 * STEPS) - STEPS
    away = (chance * reach.view(-1, 1, 1, 1) + STEPS * STEPS // 2) // (STEPS * STEPS)
    down = (torch.arange(height, device=key.device)[:, None] + away[:, 0]).clamp_(0, height - 1)
    right = (torch.arange(width, device=key.device) + away[:, 1]).clamp_(0, width - 1)
    return (down * width + right).flatten(1)


glass_blur = Perturbation(
    title="Glass blur",
    family="blur",
    unit="how far pixels are scattered, fraction of the frame's height; blurred before and after",
    levels=REACHES,
    granularity="clip",
    label_preserving="yes",
    source="idea and blurs of ImageNet-C glass_blur (Hendrycks and Dietterich 2019); reaches own",
    draw=draw,
    apply=apply,
)
