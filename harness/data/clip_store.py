"""Reading packed clips: memory-mapped 8-bit pixels, shared by all workers of a node.

A pack is a folder of shards (raw frames ``n h w 3``, one after another) and an index. Opening reads the index only;
a clip's frames are a view into the mapped file, shared by all processes through the page cache.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from harness.errors import HarnessError, near_miss

VERSION = 1
"""Raised when the meaning of a pack's files changes; an older pack is refused, not misread."""

INDEX = "index.json"
CHUNK = 1 << 24
"""Bytes read at a time when a checksum is computed."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of frames.

    Attributes:
        name: the file's name.
        num_frames: frames in it.
        checksum: CRC-32 of its bytes.
    """

    name: str
    num_frames: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip's frames lie.

    Attributes:
        shard: number of the shard.
        start: its first frame in the shard.
        num_frames: frames stored.
        source_frames: frames of the clip before long clips were thinned.
    """

    shard: int
    start: int
    num_frames: int
    source_frames: int


@dataclass(frozen=True, kw_only=True)
class ClipStore:
    """A finished pack, open for reading.

    Attributes:
        folder: where it lies.
        size: side length of a frame in pixels.
        max_frames: clips longer than this were reduced to this many evenly spaced frames.
        places: by clip id.
        bad: clips that could not be read when the pack was made, with the reason.
        shards: the files.
    """

    folder: Path
    size: int
    max_frames: int
    places: dict[str, Place]
    bad: dict[str, str]
    shards: tuple[Shard, ...]
    _mapped: dict[int, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, folder: Path) -> "ClipStore":
        """Open a finished pack; no pixel is read.

        Raises:
            HarnessError: if the folder holds no finished pack of this version, or a shard is missing or of the wrong
                length.
        """
        index = _read_index(folder)
        store = cls(
            folder=folder,
            size=index["size"],
            max_frames=index["max_frames"],
            places={clip_id: Place(*place) for clip_id, place in index["clips"].items()},
            bad=index["bad"],
            shards=tuple(Shard(*shard) for shard in index["shards"]),
        )
        for shard in store.shards:
            path = folder / shard.name
            expected = shard.num_frames * store.frame_bytes
            if not path.is_file() or path.stat().st_size != expected:
                raise HarnessError(f"{path}: missing or not of {expected} bytes. Delete {folder} to pack again.")
        return store

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
        return self._shard(place.shard)[place.start : place.start + place.num_frames]

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
        if out is None:
            out = np.empty((*indices.shape, self.size, self.size, 3), dtype=np.uint8)
        for clip_id, wanted, target in zip(clip_ids, indices, out, strict=True):
            stored = self.frames(clip_id)
            if wanted.min() < 0 or wanted.max() >= len(stored):
                raise HarnessError(f"clip '{clip_id}' has {len(stored)} frames; {wanted.tolist()} were asked for.")
            np.take(stored, wanted, axis=0, out=target, mode="clip")
        return out

    def verify(self) -> None:
        """Compare every shard with its checksum.

        Raises:
            HarnessError: if one differs; the file is named.
        """
        for shard in self.shards:
            path = self.folder / shard.name
            if checksum(path) != shard.checksum:
                raise HarnessError(f"{path}: the checksum does not match. Delete {self.folder} to pack again.")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": {}}

    def _place(self, clip_id: str) -> Place:
        try:
            return self.places[clip_id]
        except KeyError:
            reason = self.bad.get(clip_id)
            why = f"it could not be read ({reason})" if reason else near_miss(clip_id, list(self.places)[:20])
            raise HarnessError(f"{self.folder}: no clip '{clip_id}' in this pack: {why}") from None

    def _shard(self, number: int) -> np.ndarray:
        mapped = self._mapped.get(number)
        if mapped is None:
            shape = (self.shards[number].num_frames, self.size, self.size, 3)
            file = np.memmap(self.folder / self.shards[number].name, dtype=np.uint8, mode="r", shape=shape)
            mapped = self._mapped[number] = np.asarray(file)
        return mapped


def checksum(path: Path) -> int:
    """CRC-32 of a file's bytes."""
    value = 0
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            value = zlib.crc32(block, value)
    return value


def _read_index(folder: Path) -> dict[str, Any]:
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
