"""Strong H.264 compression at a constant quality, by a real codec."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import within
from perturbations._video_codec import h264


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The rate factor; nothing is random."""
    return {"host_crf": torch.tensor(round(within(level, 0, 51)))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every clip encoded and decoded."""
    clips = zip(pixels, params["host_crf"].tolist(), strict=True)
    return torch.stack([h264(clip, {"crf": str(crf)}) for clip, crf in clips])


h264_crf = Perturbation(
    title="H.264, constant rate factor",
    family="compression",
    unit="constant rate factor of x264",
    levels=(23.0, 30.0, 37.0, 44.0, 51.0),
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C h264_crf (Yi et al. 2021)",
    draw=draw,
    apply=apply,
    keyed=False,
    on_host=True,
)
