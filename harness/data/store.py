"""The packed clip store: decode every clip once, in parallel, into one memory-mapped file of frames.

First every clip's frames are counted, so that each has its place in the file. Then parts of 32 clips are decoded, each
written to its own region and recorded when it is on disk, in a folder beside the final one; an interrupted run goes on
where it stopped. The folder is renamed when all is there: a pack that exists is finished. The bytes depend on the
clips alone, not on the number of workers or on interruptions.
"""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from harness.data.clip import Source
from harness.data.clip_store import INDEX, PIXELS, VERSION, ClipStore, Place, Region, read_index
from harness.data.files import natural_key
from harness.data.packing import (
    PART,
    Job,
    Part,
    Record,
    count_clip,
    decode_part,
    parts_of,
    publish_json,
    read_clip,
    reserve,
    thin,
)
from harness.errors import HarnessError
from harness.paths import pack_folder

__all__ = ["ClipStore", "Packed", "pack", "thin"]

BUILDING = ".building"
"""Ending of a pack's folder while it is made."""

ABANDONED = 14.0
"""Days after which an unfinished pack that nobody has gone on with is deleted."""

OnProgress = Callable[[int, int], None]


class Packed(NamedTuple):
    """A finished pack, and the clips that are not in it because they could not be read, with the reasons."""

    store: ClipStore
    bad: dict[str, str]


def pack(source: Source, size: int, max_frames: int, *, workers: int, on_progress: OnProgress | None = None) -> Packed:
    """The packed clips of a data set at a side length; made on the first call, opened at once on later ones.

    Clips that cannot be read are left out and named in ``bad``; the caller decides what that means. They are tried
    again by the next call, and the pack is made anew if one has become readable.

    Args:
        source: the data set.
        size: side length in pixels to which frames are stretched.
        max_frames: clips longer than this are reduced to this many evenly spaced frames, first and last included.
        workers: decoding processes; 1 decodes in this process.
        on_progress: called with (clips done, clips in all) after every part.

    Raises:
        HarnessError: if no clip can be read.
    """
    final = pack_folder(source.fingerprint, size, max_frames)
    final.parent.mkdir(parents=True, exist_ok=True)
    sweep(final.parent)
    with _locked(final.with_name(f".{final.name}.lock")):
        if final.exists() and _outdated(source, final):
            shutil.rmtree(final)
        if not final.exists():
            _build(source, final, (size, max_frames), workers, on_progress)
    store = ClipStore.open(final)
    if on_progress is not None:
        on_progress(len(source.clips), len(source.clips))
    return Packed(store, store.bad)


def _build(source: Source, final: Path, shape: tuple[int, int], workers: int, on_progress: OnProgress | None) -> None:
    """Count, decode every part that is not there yet, write the index, publish the folder."""
    building = final.with_name(f".{final.name}.v{VERSION}{BUILDING}")
    building.mkdir(exist_ok=True)
    clips = [(clip_id, str(source.clips[clip_id].path)) for clip_id in sorted(source.clips, key=natural_key)]
    with _mapper(workers if len(clips) > PART else 1) as run:
        counts = dict(zip(clips, run(count_clip, [path for _, path in clips]), strict=True))
        bad = {clip_id: count for (clip_id, _), count in counts.items() if isinstance(count, str)}
        parts = parts_of({clip: count for clip, count in counts.items() if isinstance(count, int)}, shape, building)
        reserve(building / PIXELS, sum(part.region[1] for part in parts) * 3 * shape[0] ** 2)
        records, done = [], len(bad)
        for part, record in zip(parts, run(decode_part, parts), strict=True):
            records.append(record)
            done += len(part.jobs)
            if on_progress is not None and done < len(clips):
                on_progress(done, len(clips))
    bad |= {clip_id: reason for record in records for clip_id, reason in record.bad.items()}
    if len(bad) == len(clips):
        shutil.rmtree(building)
        first = next(iter(bad.values()), "it has no clips")
        raise HarnessError(f"{source.name} at {source.root}: not one of {len(bad)} clips can be read: {first}")
    publish_json(_index(source, shape, parts, records, bad), building / INDEX)
    for left in [*(part.record_file for part in parts), *building.glob(".*.tmp")]:
        left.unlink()
    building.rename(final)


def sweep(packs: Path) -> int:
    """Delete unfinished packs that nobody works on or will go on with; how many.

    Those are packs of another version, and packs that have not been written to for ``ABANDONED`` days: their data set
    has changed since, or nobody wants it any more.
    """
    swept = 0
    for building in packs.glob(f".*{BUILDING}"):
        name = building.name.rpartition(".v")[0]
        version = building.name.removeprefix(f"{name}.v").removesuffix(BUILDING)
        days = (time.time() - _last_written(building)) / 86_400
        if version != str(VERSION) or days > ABANDONED:
            with _locked(packs / f"{name}.lock", wait=False) as free:
                if free:
                    shutil.rmtree(building, ignore_errors=True)
                    swept += 1
    return swept


def _last_written(folder: Path) -> float:
    """When anything was last written in a folder; now, if it has just gone."""
    try:
        return max(path.stat().st_mtime for path in [folder, *folder.iterdir()])
    except FileNotFoundError:
        return time.time()


def _index(
    source: Source, shape: tuple[int, int], parts: Sequence[Part], records: Sequence[Record], bad: dict[str, str]
) -> dict[str, object]:
    """What the index says."""
    places = {
        job.clip_id: Place(job.start, min(job.source_frames, shape[1]), job.source_frames)
        for part in parts
        for job in part.jobs
        if job.clip_id not in bad
    }
    return {
        "version": VERSION,
        "fingerprint": source.fingerprint,
        "size": shape[0],
        "max_frames": shape[1],
        "regions": [Region(*part.region, record.checksum) for part, record in zip(parts, records, strict=True)],
        "clips": places,
        "bad": bad,
    }


def _outdated(source: Source, final: Path) -> bool:
    """Whether a pack is of another version, or lacks a clip that can be read now."""
    try:
        bad = read_index(final)["bad"]
    except HarnessError:
        return True
    return any(_readable(str(source.clips[clip_id].path)) for clip_id in bad)


def _readable(path: str) -> bool:
    count = count_clip(path)
    if isinstance(count, str):
        return False
    try:
        read_clip(Job("", path, 0, count), size=16, max_frames=count)
    except HarnessError:
        return False
    return True


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """A map over items in order: in spawned processes, which inherit nothing of this one, or for 1 in this process."""
    if workers <= 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool.map


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Held by one process at a time (or until it dies); others wait, and then find the work done.

    Without waiting, the value says whether the lock is held.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
