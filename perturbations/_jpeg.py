"""JPEG through a real codec, frame by frame."""

import torch
from jaxtyping import UInt8
from kornia_rs.io import decode_image_jpegturbo, encode_image_jpegturbo
from torch import Tensor

from perturbations._contract import Params


def jpeg_frames(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every frame written at its clip's ``host_quality`` by libjpeg-turbo (4:2:0 chroma) and read again, on the CPU.

    kornia's ``RandomJPEG`` is a differentiable approximation of this, 0.7 dB closer to the clean frame at quality 25.
    """
    clips = zip(pixels, params["host_quality"].tolist(), strict=True)
    spoilt = [_through_jpeg(clip, quality) for clip, quality in clips]
    return torch.stack(spoilt).to(pixels.device)


def _through_jpeg(clip: UInt8[Tensor, "t c h w"], quality: int) -> UInt8[Tensor, "t c h w"]:
    """One clip; stacking planes is the fastest of torch's ways to and from the codec's colour-by-pixel order."""
    frames = torch.stack(clip.cpu().unbind(1), -1).numpy()
    spoilt = [decode_image_jpegturbo(encode_image_jpegturbo(frame, quality), "rgb") for frame in frames]
    return torch.stack([torch.stack(torch.from_numpy(frame).unbind(-1)) for frame in spoilt])
