"""A face tracker that jumps to someone else: a run of frames shows another face."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._donors import COUNT, donors
from perturbations._frames import count
from perturbations._random import Draws


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """When the other face is shown, and whose of the donor bank."""
    draws = Draws(key)
    run = count(level, shape.frames)
    start = draws.integer(shape.frames - run + 1)
    foreign = torch.zeros(shape.frames, dtype=torch.bool)
    foreign[start : start + run] = True
    return {"foreign": foreign, "host_donor": torch.tensor(draws.integer(COUNT))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Clips with the donor's portrait in the foreign frames."""
    faces = donors(params["host_donor"], pixels)[:, None]
    return torch.where(params["foreign"][:, :, None, None, None], faces, pixels)


identity_intrusion = Perturbation(
    title="Identity intrusion",
    family="temporal_loss",
    unit="share of the clip that shows the other face",
    levels=(1 / 16, 2 / 16, 3 / 16, 4 / 16, 6 / 16),
    granularity="clip",
    label_preserving="yes",
    source="DistractionBench's spliced segments (2026); levels own",
    draw=draw,
    apply=apply,
)
