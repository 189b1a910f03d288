"""Files of clips on disk: which are videos, which are frames, and in which order."""

from __future__ import annotations

import os
import re
from pathlib import Path

from harness.errors import HarnessError

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
"""Endings of frames in a frame folder, in lower case."""

VIDEO_SUFFIXES = frozenset({".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
"""Endings of video files, in lower case."""

_POINTER = b"version https://git-lfs"
_POINTER_LIMIT = 200
"""Bytes below which a file may be a Git LFS pointer, the text of about 130 bytes left where a file was not fetched."""


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Sorting key by which ``2.jpg`` comes before ``10.jpg``.

    >>> sorted(["10.jpg", "2.jpg", "1.jpg"], key=natural_key)
    ['1.jpg', '2.jpg', '10.jpg']
    """
    parts = re.split(r"([0-9]+)", name)
    return tuple((int(part) if index % 2 else -1, part) for index, part in enumerate(parts))


def last_number(name: str) -> int | None:
    """The last number in a name, by which frames are counted.

    >>> last_number("00001_00144"), last_number("face")
    (144, None)
    """
    numbers = re.findall(r"[0-9]+", name)
    return int(numbers[-1]) if numbers else None


def is_frame(name: str) -> bool:
    """Whether a file of a frame folder is a frame: an image that is not hidden (``._1.jpg``, ``.DS_Store``)."""
    return not name.startswith(".") and _suffix(name) in IMAGE_SUFFIXES


def is_video(name: str) -> bool:
    """Whether a file is a video by its name, and not hidden."""
    return not name.startswith(".") and _suffix(name) in VIDEO_SUFFIXES


def is_pointer(path: Path, num_bytes: int) -> bool:
    """Whether a file of this size is a Git LFS pointer instead of what its name says."""
    if num_bytes >= _POINTER_LIMIT:
        return False
    with path.open("rb") as file:
        return file.read(len(_POINTER)) == _POINTER


def count_frame_files(folder: Path) -> int:
    """Number of frames in a frame folder."""
    with os.scandir(folder) as entries:
        return sum(1 for entry in entries if is_frame(entry.name))


def frame_files(folder: Path) -> list[Path]:
    """The frames of a frame folder in natural order.

    Raises:
        HarnessError: if the folder holds no frame.
    """
    with os.scandir(folder) as entries:
        names = sorted((entry.name for entry in entries if is_frame(entry.name)), key=natural_key)
    if not names:
        raise HarnessError(f"{folder}: the clip's folder holds no frame ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    return [folder / name for name in names]


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 (a Path per file doubles the time of a listing)
