"""Decoding: a video file or a folder of frames as 8-bit RGB pixels.

Videos are decoded by PyAV in one thread, in order, up to the last wanted frame; only wanted frames are converted to
RGB. Frame folders are read by Pillow in natural order (``2.jpg`` before ``10.jpg``). Resizing stretches to a square
with the triangle filter widened by the reduction (``BILINEAR`` in both libraries), which is what the field's loaders
do with Pillow. A file that cannot be read is an error that names it; no frame is ever made up or replaced.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
from av.video.reformatter import Interpolation
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from harness.data.files import frame_files, is_pointer
from harness.errors import HarnessError

_RESIZE = (
    Interpolation.BILINEAR
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)
"""swscale's triangle filter on full colour resolution, in its arithmetic that is the same on every processor.

Without the two colour flags its scaled path converts with a bias of 1.3 grey levels; with them it is below 0.5.
"""

_SILENT = frozenset({"mjpeg"})
"""Codecs whose decoder logs damage and flags nothing; of 117 damaged files its flags tell 11, its log 85. For others
the flags tell as much as the log, and the log also complains of oddities that harm no picture."""

_MISSING_FRAMES = 2
"""Frames by which a video may end before the duration in its header, where the header states no number of frames."""


def read_frames(path: Path, indices: Sequence[int] | None, size: int | None) -> UInt8[np.ndarray, "t h w 3"]:
    """Frames of a clip as RGB, in the order of ``indices`` (any order, repeats allowed).

    Args:
        path: a video file or a folder of frames.
        indices: frames to return, from 0; ``None`` for all, which also checks that the video is whole.
        size: side length in pixels to which frames are stretched; ``None`` keeps them as they are.

    Raises:
        HarnessError: if the clip is missing, empty, a pointer stub, truncated, damaged, or has no such frame.
    """
    order = None if indices is None else np.asarray(indices, dtype=np.int64)
    if order is not None and (order.size == 0 or order.min() < 0):
        raise HarnessError(f"{path}: frames {order.tolist()} were asked for; give at least one, counted from 0.")
    wanted = None if order is None else frozenset(order.tolist())
    frames = _folder_frames(path, wanted, size) if path.is_dir() else _video_frames(path, wanted, size)
    shapes = {frame.shape for frame in frames.values()}
    if len(shapes) > 1:
        raise HarnessError(f"{path}: frames differ in size ({sorted(shapes)}); ask for them at one size.")
    if order is None:
        return np.stack(list(frames.values()))
    if max(frames, default=-1) < order.max():
        raise HarnessError(f"{path}: frame {order.max()} was asked for, counted from 0; the clip ends before it.")
    return np.stack([frames[index] for index in order.tolist()])


def count_frames(path: Path) -> int:
    """Number of frames of a clip: images in the folder, or coded frames of the video (which is not decoded).

    Raises:
        HarnessError: if the clip is missing, empty, a pointer stub, not a video, or shorter than its header says.
    """
    if path.is_dir():
        return len(frame_files(path))
    with _opened(path) as container:
        coded = discarded = 0
        for packet in _packets(container, path):
            coded += int(packet.size > 0 and not packet.is_discard)
            discarded += int(packet.is_discard)
        _check_whole(container, path, coded, discarded)
    return coded


def _folder_frames(folder: Path, wanted: frozenset[int] | None, size: int | None) -> dict[int, np.ndarray]:
    """Wanted frames of a frame folder by index."""
    files = frame_files(folder)
    return {i: _image(file, size) for i, file in enumerate(files) if wanted is None or i in wanted}


def _image(file: Path, size: int | None) -> UInt8[np.ndarray, "h w 3"]:
    """One frame of a frame folder."""
    try:
        with Image.open(file) as opened:
            image = opened.convert("RGB")
    except UnidentifiedImageError:
        raise HarnessError(f"{file}: {_why_no_medium(file, 'an image')}.") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise HarnessError(f"{file}: the image cannot be decoded ({error}).") from error
    if size is not None and image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _video_frames(path: Path, wanted: frozenset[int] | None, size: int | None) -> dict[int, np.ndarray]:
    """Wanted frames of a video by index; decoding stops after the last wanted one."""
    frames: dict[int, np.ndarray] = {}
    decoded = discarded = 0
    with _opened(path) as container, _complaints(container) as complaints:
        for packet in _packets(container, path):
            discarded += int(packet.is_discard)
            for frame in _decoded(packet, path, decoded, complaints):
                if wanted is None or decoded in wanted:
                    frames[decoded] = _rgb(frame, size)
                decoded += 1
                if wanted is not None and len(frames) == len(wanted):
                    return frames
        _check_whole(container, path, decoded, discarded)
    return frames


def _opened(path: Path) -> Any:
    """The container of a video with one decoding thread."""
    try:
        container = av.open(str(path))
    except FileNotFoundError:
        raise HarnessError(f"{path}: there is no such clip.") from None
    except (av.FFmpegError, OSError) as error:
        raise HarnessError(f"{path}: {_why_no_medium(path, 'a video')} ({error.strerror}).") from None
    if not container.streams.video:
        container.close()
        raise HarnessError(f"{path}: the file holds no video stream.")
    container.streams.video[0].codec_context.thread_count = 1
    return container


def _packets(container: Any, path: Path) -> Iterator[Any]:
    """The video's packets in order, the empty one that flushes the decoder included."""
    packets = container.demux(container.streams.video[0])
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError) as error:
            raise HarnessError(f"{path}: the video cannot be read to its end ({error.strerror}).") from error
        if packet.is_corrupt:
            raise HarnessError(f"{path}: the video is truncated or damaged (a packet is not whole).")
        yield packet


@contextmanager
def _complaints(container: Any) -> Iterator[list[Any]]:
    """What the decoder logs as errors, for codecs that go on after damage without flagging the frame."""
    if container.streams.video[0].codec_context.name not in _SILENT:
        yield []
        return
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as complaints:
            yield complaints
    finally:
        av.logging.set_level(level)


def _decoded(packet: Any, path: Path, decoded: int, complaints: Sequence[Any]) -> list[Any]:
    """The frames that a packet completes, none of them damaged as far as the decoder can tell."""
    try:
        frames: list[Any] = packet.decode()
    except (av.FFmpegError, OSError) as error:
        raise HarnessError(f"{path}: the video cannot be decoded after frame {decoded} ({error.strerror}).") from error
    if complaints or any(frame.is_corrupt for frame in frames):
        raise HarnessError(f"{path}: the video is damaged near frame {decoded}.")
    return frames


def _check_whole(container: Any, path: Path, frames: int, discarded: int) -> None:
    """Compare what was found with what the header states: a number of frames, or a duration in Matroska files.

    Raises:
        HarnessError: if the video ends early or holds no frame.
    """
    stream = container.streams.video[0]
    stated = stream.frames - discarded
    if not stream.frames and container.duration and len(container.streams) == 1 and stream.average_rate:
        seconds = Fraction(container.duration, av.time_base)
        stated = int(seconds * stream.average_rate) - _MISSING_FRAMES
    if frames < stated:
        raise HarnessError(f"{path}: the video is truncated: {frames} frames of the {stated} that its header states.")
    if frames == 0:
        raise HarnessError(f"{path}: the video holds no frame.")


def _rgb(frame: Any, size: int | None) -> UInt8[np.ndarray, "h w 3"]:
    """A decoded frame as RGB pixels, upright if the file says how the camera was held."""
    if size is None:
        pixels = frame.to_ndarray(format="rgb24")
    else:
        scaled = frame.reformat(width=size, height=size, format="rgb24", interpolation=_RESIZE, threads=1)
        pixels = scaled.to_ndarray()
    turned: np.ndarray = np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))
    return turned


def _why_no_medium(path: Path, kind: str) -> str:
    """Why a file is not what its name says, in words."""
    num_bytes = path.stat().st_size
    if num_bytes == 0:
        return "the file is empty (0 bytes)"
    if is_pointer(path, num_bytes):
        return "the file is a Git LFS pointer; fetch the real file with 'git lfs pull' or from the distributor"
    return f"the file is not {kind} that can be opened"
