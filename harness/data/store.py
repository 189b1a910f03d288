"""The packed clip store: decode every clip once, in parallel, into memory-mapped shards.

Shards are made in a folder beside the final one, each written under a hidden name and renamed when it is whole, so
an interrupted run goes on where it stopped. The folder is renamed when all is there: a pack that exists is finished.
What is in a shard depends on the clips alone, not on the number of workers or on interruptions.
"""

import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from harness.data.clip import Source
from harness.data.clip_store import INDEX, VERSION, ClipStore, Place, Shard, checksum
from harness.data.decode import count_frames, read_frames
from harness.data.files import natural_key
from harness.errors import HarnessError
from harness.paths import pack_folder

__all__ = ["ClipStore", "Packed", "pack", "thin"]

SMALLEST_SHARD = 32
LARGEST_NUMBER = 128
"""A shard holds at least 32 clips, and there are at most 128 shards: each is a file kept open by every reader."""

OnProgress = Callable[[int, int], None]


class Packed(NamedTuple):
    """A finished pack, and the clips that are not in it because they could not be read, with the reasons."""

    store: ClipStore
    bad: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """One shard to make: everything that a worker process needs."""

    number: int
    clips: tuple[tuple[str, str], ...]
    size: int
    max_frames: int
    folder: str

    @property
    def file(self) -> Path:
        """The shard."""
        return Path(self.folder) / f"shard-{self.number:03d}.u8"

    @property
    def record_file(self) -> Path:
        """Says that the shard is whole, and what is in it."""
        return self.file.with_suffix(".json")


@dataclass(frozen=True, kw_only=True)
class ShardRecord:
    """What is in a shard."""

    clips: dict[str, tuple[int, int, int]]
    bad: dict[str, str]
    num_frames: int
    checksum: int


def pack(source: Source, size: int, max_frames: int, *, workers: int, on_progress: OnProgress | None = None) -> Packed:
    """The packed clips of a data set at a side length; made on the first call, opened at once on later ones.

    Clips that cannot be read are left out and named in ``bad``; the caller decides what that means. They are tried
    again by the next call, and the pack is made anew if one has become readable.

    Args:
        source: the data set.
        size: side length in pixels to which frames are stretched.
        max_frames: clips longer than this are reduced to this many evenly spaced frames, first and last included.
        workers: decoding processes; 1 decodes in this process.
        on_progress: called with (clips done, clips in all) after every shard.

    Raises:
        HarnessError: if no clip can be read.
    """
    final = pack_folder(source.fingerprint, size, max_frames)
    final.parent.mkdir(parents=True, exist_ok=True)
    with _locked(final.with_name(f".{final.name}.lock")):
        if final.exists() and _mended(source, ClipStore.open(final)):
            shutil.rmtree(final)
        if not final.exists():
            _build(source, final, (size, max_frames), workers, on_progress)
    store = ClipStore.open(final)
    if on_progress is not None:
        on_progress(len(source.clips), len(source.clips))
    return Packed(store, store.bad)


def thin(num_frames: int, max_frames: int) -> Int[np.ndarray, " t"]:
    """Indices of the frames that are stored: all of them, or ``max_frames`` evenly spaced ones with both ends."""
    if num_frames <= max_frames:
        return np.arange(num_frames)
    return np.linspace(0, num_frames - 1, max_frames).round().astype(np.int64)


def write_shard(task: ShardTask) -> ShardRecord:
    """Decode a shard's clips into its file and publish it; a shard that is already whole is only checked.

    Runs in worker processes; pixels never cross a process boundary.
    """
    finished = _finished(task)
    if finished is not None:
        return finished
    hidden = task.file.with_name(f".{task.file.name}.tmp")
    clips: dict[str, tuple[int, int, int]] = {}
    bad: dict[str, str] = {}
    start = value = 0
    with hidden.open("wb") as file:
        for clip_id, path in task.clips:
            try:
                pixels, source_frames = _read_clip(Path(path), task.size, task.max_frames)
            except HarnessError as error:
                bad[clip_id] = str(error)
                continue
            file.write(pixels.data)
            value = zlib.crc32(pixels.data, value)
            clips[clip_id] = (start, len(pixels), source_frames)
            start += len(pixels)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(task.file)
    record = ShardRecord(clips=clips, bad=bad, num_frames=start, checksum=value)
    _publish_json(asdict(record), task.record_file)
    return record


def _read_clip(path: Path, size: int, max_frames: int) -> tuple[UInt8[np.ndarray, "t h w 3"], int]:
    """The frames to store of a clip, read to its end, and how many it has."""
    num_frames = count_frames(path)
    wanted = None if num_frames <= max_frames else thin(num_frames, max_frames).tolist()
    pixels = read_frames(path, wanted, size)
    return pixels, num_frames


def _build(source: Source, final: Path, shape: tuple[int, int], workers: int, on_progress: OnProgress | None) -> None:
    """Make every shard that is not there yet, then the index, then publish the folder."""
    building = final.with_name(f".{final.name}.building")
    building.mkdir(exist_ok=True)
    tasks = _tasks(source, shape, building)
    records, done = [], 0
    for task, record in zip(tasks, _run(tasks, workers), strict=True):
        records.append(record)
        done += len(task.clips)
        if on_progress is not None and done < len(source.clips):
            on_progress(done, len(source.clips))
    bad = {clip_id: reason for record in records for clip_id, reason in record.bad.items()}
    if len(bad) == len(source.clips):
        shutil.rmtree(building)
        first = next(iter(bad.values()), "it has no clips")
        raise HarnessError(f"{source.name} at {source.root}: not one of {len(bad)} clips can be read: {first}")
    _publish_json(_index(source, shape, tasks, records), building / INDEX)
    for task in tasks:
        task.record_file.unlink()
    building.rename(final)


def _tasks(source: Source, shape: tuple[int, int], folder: Path) -> list[ShardTask]:
    """Clips in natural order of their ids, dealt into shards."""
    clips = [(clip_id, str(source.clips[clip_id].path)) for clip_id in sorted(source.clips, key=natural_key)]
    step = max(SMALLEST_SHARD, -(-len(clips) // LARGEST_NUMBER))
    return [
        ShardTask(
            number=number,
            clips=tuple(clips[start : start + step]),
            size=shape[0],
            max_frames=shape[1],
            folder=str(folder),
        )
        for number, start in enumerate(range(0, len(clips), step))
    ]


def _run(tasks: Sequence[ShardTask], workers: int) -> Iterator[ShardRecord]:
    """Records in the order of the tasks; processes are spawned, so nothing of this one is inherited."""
    if workers <= 1 or len(tasks) == 1:
        yield from map(write_shard, tasks)
        return
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(write_shard, tasks)


def _finished(task: ShardTask) -> ShardRecord | None:
    """The record of a shard that an earlier, interrupted run finished, if its clips and its bytes are the same.

    Shards with bad clips are made again: the files may have been mended in between.
    """
    try:
        content = json.loads(task.record_file.read_text(encoding="utf-8"))
        content["clips"] = {clip_id: tuple(where) for clip_id, where in content["clips"].items()}
        record = ShardRecord(**content)
        same = list(record.clips) == [clip_id for clip_id, _ in task.clips] and not record.bad
        return record if same and checksum(task.file) == record.checksum else None
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _index(
    source: Source, shape: tuple[int, int], tasks: Sequence[ShardTask], records: Sequence[ShardRecord]
) -> dict[str, object]:
    """What the index says; a shard in which no clip could be read has no frames and is left out."""
    shards: list[Shard] = []
    places: dict[str, Place] = {}
    for task, record in zip(tasks, records, strict=True):
        if not record.num_frames:
            task.file.unlink()
            continue
        places |= {clip_id: Place(len(shards), *where) for clip_id, where in record.clips.items()}
        shards.append(Shard(task.file.name, record.num_frames, record.checksum))
    return {
        "version": VERSION,
        "fingerprint": source.fingerprint,
        "size": shape[0],
        "max_frames": shape[1],
        "shards": [astuple(shard) for shard in shards],
        "clips": {clip_id: astuple(place) for clip_id, place in places.items()},
        "bad": {clip_id: reason for record in records for clip_id, reason in record.bad.items()},
    }


def _mended(source: Source, store: ClipStore) -> bool:
    """Whether a clip that could not be read when the pack was made can be read now."""
    for clip_id in store.bad:
        try:
            _read_clip(source.clips[clip_id].path, store.size, store.max_frames)
        except HarnessError:
            continue
        return True
    return False


def _publish_json(content: object, path: Path) -> None:
    """Write a small file so that a reader sees all of it or nothing."""
    hidden = path.with_name(f".{path.name}.tmp")
    with hidden.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Held by one process at a time (or until it dies); others wait, and then find the work done."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
