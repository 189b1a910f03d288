"""Too little bandwidth: H.264 at a fraction of the clip's bit rate, by a real codec."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._pixels import scalar
from perturbations._video_codec import RATE, encoded_bits, h264


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The divisor of the bit rate; nothing is random."""
    return {"host_divisor": scalar(level)}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every clip encoded at its share of the bit rate that crf 23 takes, and decoded.

    In clips of 16 frames x264's rate control hits a divisor up to 8 to a factor of 1.6. Beyond that many clips are at
    its coarsest quantiser: faces of 48 px keep a tenth of their bits, those of 112 px a twelfth to a twenty-fifth.
    """
    spoilt = []
    for clip, divisor in zip(pixels, params["host_divisor"].tolist(), strict=True):
        rate = encoded_bits(clip) * RATE / len(clip) / divisor
        spoilt.append(h264(clip, {}, bit_rate=max(1000, round(rate))))
    return torch.stack(spoilt)


h264_abr = Perturbation(
    title="H.264, average bit rate",
    family="compression",
    unit="divisor of the bit rate that crf 23 takes, as asked of the codec; it reaches 8",
    levels=(2.0, 4.0, 8.0, 16.0, 32.0),
    granularity="clip",
    label_preserving="yes",
    source="mini Kinetics-C h264_abr (Yi et al. 2021), relative to crf 23 instead of the source file",
    draw=draw,
    apply=apply,
    keyed=False,
    on_host=True,
)
