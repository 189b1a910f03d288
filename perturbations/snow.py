"""Snow: blurred flakes, new in every frame, in a paler picture."""

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import along
from perturbations._pixels import per_clip, scalar, to_pixels
from perturbations._random import normal

MEANS = (0.0, 0.1, 0.2, 0.3, 0.4)
KEPT = (0.9, 0.85, 0.8, 0.75, 0.7)
SPREAD = 0.3
THRESHOLD = 0.55
FLAKE = 3 / 224
FALL = 3
GAIN = 2.0


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The flakes' key, their density, and how much of the picture's own colour is kept."""
    return {"key": torch.tensor(key), "mean": scalar(level), "kept": scalar(along(level, MEANS, KEPT))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Frames paled towards white and flakes added, smeared downwards as they fall."""
    frames, _, height, width = pixels.shape[1:]
    cell = max(1, round(FLAKE * height))
    grid = normal(params["key"], 0, (frames, height // cell + 2, width // cell + 2))
    flakes = grid.mul_(SPREAD).add_(params["mean"].view(-1, 1, 1, 1)).sub_(THRESHOLD).clamp_(0, 1)
    fine = interpolate(flakes, scale_factor=cell, mode="nearest")[..., : height + FALL - 1, :width]
    fallen = avg_pool2d(fine, (FALL, 1), stride=1)[:, :, None]
    kept = per_clip(params["kept"])
    return to_pixels((pixels * kept).add_((1 - kept) * 255).add_(GAIN * 255 * fallen))


snow = Perturbation(
    title="Snow",
    family="weather",
    unit="mean of the thresholded flake field; 0.9, 0.85, 0.8, 0.75, 0.7 of the picture is kept",
    levels=MEANS,
    granularity="frame",
    label_preserving="yes",
    source="after ImageNet-C snow (Hendrycks and Dietterich 2019), its parameters made monotone",
    draw=draw,
    apply=apply,
)
