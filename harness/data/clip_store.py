"""Reading packed clips: memory-mapped 8-bit pixels, shared by all workers of a node.

A pack is one file of raw frames ``n h w 3``, clip after clip, and an index. Opening reads the index only; a clip's
frames are a view into the mapped file, shared by all processes through the page cache.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from harness.errors import HarnessError, near_miss

VERSION = 2
"""Raised when the meaning of a pack's files changes; a pack of another version is refused, not misread."""

INDEX = "index.json"
PIXELS = "frames.u8"
CHUNK = 1 << 24
"""Bytes read at a time when a checksum is computed."""


class Place(NamedTuple):
    """Where a clip's frames lie.

    Attributes:
        start: its first frame in the file.
        num_frames: frames stored.
        source_frames: frames of the clip before long clips were thinned.
    """

    start: int
    num_frames: int
    source_frames: int


class Region(NamedTuple):
    """A run of whole clips in the file, written at once: its first frame, its frames, and the CRC-32 of its bytes."""

    start: int
    num_frames: int
    checksum: int


@dataclass(frozen=True, kw_only=True)
class ClipStore:
    """A finished pack, open for reading.

    Attributes:
        folder: where it lies.
        size: side length of a frame in pixels.
        max_frames: clips longer than this were reduced to this many evenly spaced frames.
        places: by clip id.
        bad: clips that could not be read when the pack was made, with the reason.
        regions: parts of the file with their checksums.
    """

    folder: Path
    size: int
    max_frames: int
    places: dict[str, Place]
    bad: dict[str, str]
    regions: tuple[Region, ...]

    @classmethod
    def open(cls, folder: Path) -> "ClipStore":
        """Open a finished pack; no pixel is read.

        Raises:
            HarnessError: if the folder holds no finished pack of this version, or the frames are missing or not of
                the length that the index states.
        """
        index = read_index(folder)
        store = cls(
            folder=folder,
            size=index["size"],
            max_frames=index["max_frames"],
            places={clip_id: Place(*place) for clip_id, place in index["clips"].items()},
            bad=index["bad"],
            regions=tuple(Region(*region) for region in index["regions"]),
        )
        path, expected = folder / PIXELS, store.num_stored * store.frame_bytes
        if not path.is_file() or path.stat().st_size != expected:
            raise HarnessError(f"{path}: missing or not of {expected} bytes. Delete {folder} to pack again.")
        return store

    @property
    def num_stored(self) -> int:
        """Frames in the file."""
        return sum(region.num_frames for region in self.regions)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.size * self.size * 3

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self.places

    def num_frames(self, clip_id: str) -> int:
        """Frames stored for a clip.

        Raises:
            HarnessError: if the clip is not in the pack.
        """
        return self._place(clip_id).num_frames

    def frames(self, clip_id: str) -> UInt8[np.ndarray, "t h w 3"]:
        """All stored frames of a clip as RGB: a read-only view into the mapped file, nothing is copied.

        Raises:
            HarnessError: if the clip is not in the pack.
        """
        place = self._place(clip_id)
        return self._pixels[place.start : place.start + place.num_frames]

    def batch(
        self,
        clip_ids: Sequence[str],
        indices: Int[np.ndarray, "b t"],
        out: UInt8[np.ndarray, "b t h w 3"] | None = None,
    ) -> UInt8[np.ndarray, "b t h w 3"]:
        """Chosen frames of several clips, copied once into a contiguous array.

        Args:
            clip_ids: one per row.
            indices: frames to take from each clip, counted from 0.
            out: an array to fill and return instead of a new one.

        Raises:
            HarnessError: if a clip is not in the pack, or has no such frame.
        """
        places = [self._place(clip_id) for clip_id in clip_ids]
        lengths = np.array([place.num_frames for place in places])
        if indices.size and (indices.min() < 0 or (indices.max(axis=1) >= lengths).any()):
            row = int(np.argmax((indices < 0).any(axis=1) | (indices.max(axis=1) >= lengths)))
            wanted = indices[row].tolist()
            raise HarnessError(f"clip '{clip_ids[row]}' has {lengths[row]} frames; {wanted} were asked for.")
        if out is None:
            out = np.empty((*indices.shape, self.size, self.size, 3), dtype=np.uint8)
        rows = np.array([place.start for place in places])[:, None] + indices
        # With mode "raise", the default, numpy would gather into a buffer first and copy it once more.
        np.take(self._pixels, rows, axis=0, out=out, mode="clip")
        return out

    def verify(self) -> None:
        """Compare every region with its checksum.

        Raises:
            HarnessError: if one differs; the file is named.
        """
        for region in self.regions:
            if checksum(self.folder / PIXELS, region.start, region.num_frames, self.frame_bytes) != region.checksum:
                raise HarnessError(
                    f"{self.folder / PIXELS}: the checksum of frames {region.start} to "
                    f"{region.start + region.num_frames - 1} does not match. Delete {self.folder} to pack again."
                )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_pixels"}

    @cached_property
    def _pixels(self) -> UInt8[np.ndarray, "n h w 3"]:
        """All frames, mapped on first use in each process."""
        shape = (self.num_stored, self.size, self.size, 3)
        return np.asarray(np.memmap(self.folder / PIXELS, dtype=np.uint8, mode="r", shape=shape))

    def _place(self, clip_id: str) -> Place:
        try:
            return self.places[clip_id]
        except KeyError:
            reason = self.bad.get(clip_id)
            why = f"it could not be read ({reason})" if reason else near_miss(clip_id, list(self.places)[:20])
            raise HarnessError(f"{self.folder}: no clip '{clip_id}' in this pack: {why}") from None


def checksum(path: Path, start: int, num_frames: int, frame_bytes: int) -> int:
    """CRC-32 of a run of frames in a file."""
    value, left = 0, num_frames * frame_bytes
    with path.open("rb") as file:
        file.seek(start * frame_bytes)
        while left and (block := file.read(min(CHUNK, left))):
            value = zlib.crc32(block, value)
            left -= len(block)
    return value


def read_index(folder: Path) -> dict[str, Any]:
    """The index of a finished pack.

    Raises:
        HarnessError: if there is none of this version.
    """
    path = folder / INDEX
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HarnessError(f"{folder}: no finished pack of clips is here ({INDEX} is missing).") from None
    except ValueError as error:
        raise HarnessError(f"{path}: not readable ({error}). Delete {folder} to pack again.") from None
    if index.get("version") != VERSION:
        raise HarnessError(f"{path}: version {index.get('version')}, not {VERSION}. Delete {folder} to pack again.")
    return index
