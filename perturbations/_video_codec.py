"""H.264 through a real codec: a clip encoded in memory and decoded again.

Colours are converted here in integers, because FFmpeg's converter reads beyond the ends of short rows and so does not
give the same bits twice.
"""

import io
from collections.abc import Mapping

import av
import numpy as np
import torch
from jaxtyping import Int32, UInt8
from torch import Tensor
from torch.nn.functional import pad

RATE = 25
"""Frames per second told to the encoder."""
CODER = {"preset": "medium", "threads": "1", "x264-params": "mbtree=0"}
"""x264's macroblock tree gives different bits from run to run on small frames, so it is off."""
SEI = 6
"""The type of units that carry supplemental information instead of pictures."""
TO_YCBCR = torch.tensor([[66, 129, 25], [-38, -74, 112], [112, -94, -18]], dtype=torch.int32)
TO_RGB = torch.tensor([[298, 0, 409], [298, -100, -208], [298, 516, 0]], dtype=torch.int32)
FLOOR = torch.tensor([16, 128, 128], dtype=torch.int32).view(3, 1, 1)
"""ITU-R BT.601 in 1/256, black at 16 and colour around 128."""


def h264(
    clip: UInt8[Tensor, "t c h w"], options: Mapping[str, str], bit_rate: int | None = None
) -> UInt8[Tensor, "t c h w"]:
    """The clip after x264 (preset medium, 4:2:0) at the given options or average bit rate.

    Odd sides are continued by one repeated line for the codec and cut again.
    """
    frames, height, width = len(clip), *clip.shape[-2:]
    with io.BytesIO() as file:
        _encode(file, _to_planes(clip), options, bit_rate)
        file.seek(0)
        with av.open(file) as container:
            decoded = [frame.to_ndarray() for frame in container.decode(video=0)]
    return _from_planes(np.stack(decoded)[:frames], height, width).to(clip.device)


def encoded_bits(clip: UInt8[Tensor, "t c h w"]) -> int:
    """The size of the clip's pictures at x264's default quality (crf 23), which average bit rates are fractions of."""
    with io.BytesIO() as file:
        return 8 * _encode(file, _to_planes(clip), {"crf": "23"}, None)


def _encode(file: io.BytesIO, planes: np.ndarray, options: Mapping[str, str], bit_rate: int | None) -> int:
    """Writes frames (``t 3h/2 w``, 4:2:0 planes below each other) as Matroska; returns the bytes of pictures in it."""
    size = 0
    with av.open(file, mode="w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=RATE, options={**CODER, **options})
        stream.height, stream.width = planes.shape[1] * 2 // 3, planes.shape[2]
        stream.pix_fmt = "yuv420p"
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        pictures = [av.VideoFrame.from_ndarray(frame, format="yuv420p") for frame in planes]
        for packet in [packet for picture in [*pictures, None] for packet in stream.encode(picture)]:
            size += _of_pictures(bytes(packet))
            container.mux(packet)
    return size


def _of_pictures(packet: bytes) -> int:
    """The length of a packet without x264's message about itself (an SEI unit), as long as several frames.

    Units begin with 0, 0, 1 and their type in five bits (ITU-T H.264, annex B and table 7-1).
    """
    return sum(len(unit) for unit in packet.split(b"\0\0\1")[1:] if unit[0] & 31 != SEI)


def _to_planes(clip: UInt8[Tensor, "t c h w"]) -> np.ndarray:
    """4:2:0 planes of RGB frames, colour averaged over 2 x 2 pixels."""
    height, width = clip.shape[-2:]
    even = pad(clip.cpu().to(torch.float32), (0, width % 2, 0, height % 2), mode="replicate").to(torch.int32)
    values = (_mix(TO_YCBCR, even) + FLOOR).to(torch.uint8)
    colour = values[:, 1:].to(torch.int32).unflatten(-1, (-1, 2)).unflatten(-3, (-1, 2)).sum(dim=(-3, -1))
    colour = ((colour + 2) >> 2).to(torch.uint8)
    return torch.cat([values[:, 0].flatten(1), colour.flatten(1)], 1).view(len(clip), -1, values.shape[-1]).numpy()


def _from_planes(planes: np.ndarray, height: int, width: int) -> UInt8[Tensor, "t 3 h w"]:
    """RGB frames of 4:2:0 planes, colour repeated over 2 x 2 pixels."""
    rows, columns = planes.shape[1] * 2 // 3, planes.shape[2]
    flat = torch.from_numpy(planes).to(torch.int32).flatten(1)
    light = flat[:, : rows * columns].view(-1, 1, rows, columns)
    colour = flat[:, rows * columns :].view(-1, 2, rows // 2, columns // 2)
    colour = colour.repeat_interleave(2, 2).repeat_interleave(2, 3)
    values = _mix(TO_RGB, torch.cat([light, colour], 1) - FLOOR).clamp_(0, 255).to(torch.uint8)
    return values[..., :height, :width].contiguous()


def _mix(matrix: Int32[Tensor, "3 3"], values: Int32[Tensor, "t 3 h w"]) -> Int32[Tensor, "t 3 h w"]:
    """A colour matrix in 1/256 applied to channels, rounded."""
    one, two, three = values.unbind(1)
    rows = [one * row[0] + two * row[1] + three * row[2] for row in matrix]
    return (torch.stack(rows, 1) + 128) >> 8
