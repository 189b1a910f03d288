"""A zoom during exposure: every frame averaged over enlargements of itself."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._pixels import to_pixels
from perturbations._warp import similarity, warp

STEP = 0.02


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """Enlargements from one to the level in steps of about 0.02; nothing is random."""
    steps = max(2, round((level - 1) / STEP) + 1)
    scales = [1 + (level - 1) * step / (steps - 1) for step in range(1, steps)]
    return _enlarged(scales, shape)


def draw_stepped(level: float, step: float, key: int, shape: ClipShape) -> Params:
    """The enlargements of ImageNet-C, by steps of its own and from one on, so that the frame itself counts twice."""
    steps = round((level - 1) / step)
    return _enlarged([1 + (level - 1) * number / steps for number in range(steps + 1)], shape)


def _enlarged(scales: list[float], shape: ClipShape) -> Params:
    """Parameters of ``apply``: a map for each enlargement."""
    return {"matrices": torch.stack([similarity(shape, scale, 0.0, 0.0, 0.0) for scale in scales])}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """The mean of the frame and its enlargements."""
    total = pixels.to(torch.float32)
    for matrix in params["matrices"].unbind(1):
        total += warp(pixels, {"matrix": matrix[:, None]})
    return to_pixels(total / (params["matrices"].shape[1] + 1))


zoom_blur = Perturbation(
    title="Zoom blur",
    family="blur",
    unit="largest enlargement",
    levels=(1.11, 1.16, 1.21, 1.26, 1.31),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C zoom_blur (Hendrycks and Dietterich 2019)",
    draw=draw,
    apply=apply,
    keyed=False,
    second=SecondParameter("from one enlargement to the next", draw_stepped),
)
