"""Packing one part of a data set: the work of one process, from counting frames to a region on disk."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from harness.data.clip_store import PIXELS, checksum
from harness.data.decode import count_frames, read_frames
from harness.errors import HarnessError

PART = 32
"""Clips that are decoded and recorded together: what an interruption can lose, and the step of the progress bar."""


class Job(NamedTuple):
    """One clip to decode: its id, its file, its first frame in the pack, and how many frames it has."""

    clip_id: str
    path: str
    start: int
    source_frames: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some clips to decode into their places: everything that a worker process needs."""

    number: int
    jobs: tuple[Job, ...]
    size: int
    max_frames: int
    folder: str

    @property
    def record_file(self) -> Path:
        """Says that the part is on disk, and what is in it."""
        return Path(self.folder) / f"part-{self.number:05d}.json"

    @property
    def region(self) -> tuple[int, int]:
        """First frame and number of frames."""
        start, last = self.jobs[0].start, self.jobs[-1]
        return start, last.start + min(last.source_frames, self.max_frames) - start


class Record(NamedTuple):
    """What became of a part: its region's checksum, and its clips that could not be decoded."""

    checksum: int
    bad: dict[str, str]


def thin(num_frames: int, max_frames: int) -> Int[np.ndarray, " t"]:
    """Indices of the frames that are stored: all of them, or ``max_frames`` evenly spaced ones with both ends."""
    if num_frames <= max_frames:
        return np.arange(num_frames)
    return np.linspace(0, num_frames - 1, max_frames).round().astype(np.int64)


def count_clip(path: str) -> int | str:
    """A clip's number of frames, or why it cannot be read. Runs in worker processes."""
    try:
        return count_frames(Path(path))
    except HarnessError as error:
        return str(error)


def decode_part(part: Part) -> Record:
    """Decode a part's clips into their places; a part that is already on disk is only checked.

    Runs in worker processes; pixels never cross a process boundary.
    """
    finished = _finished(part)
    if finished is not None:
        return finished
    bad: dict[str, str] = {}
    frame_bytes = 3 * part.size**2
    pixels_file = Path(part.folder) / PIXELS
    with pixels_file.open("r+b") as file:
        for job in part.jobs:
            file.seek(job.start * frame_bytes)
            try:
                pixels = read_clip(job, part.size, part.max_frames)
            except HarnessError as error:
                bad[job.clip_id] = str(error)
                pixels = np.zeros((min(job.source_frames, part.max_frames), part.size, part.size, 3), np.uint8)
            file.write(pixels.data)
        file.flush()
        os.fsync(file.fileno())
    record = Record(checksum(pixels_file, *part.region, frame_bytes), bad)
    publish_json({"jobs": part.jobs, **record._asdict()}, part.record_file)
    return record


def read_clip(job: Job, size: int, max_frames: int) -> UInt8[np.ndarray, "t h w 3"]:
    """The frames to store of a clip, read to its end.

    Raises:
        HarnessError: if it cannot be read, or has not the frames that were counted.
    """
    wanted = None if job.source_frames <= max_frames else thin(job.source_frames, max_frames).tolist()
    pixels = read_frames(Path(job.path), wanted, size)
    if wanted is None and len(pixels) != job.source_frames:
        raise HarnessError(f"{job.path}: {len(pixels)} frames can be decoded of {job.source_frames} that are coded.")
    return pixels


def parts_of(counts: Mapping[tuple[str, str], int], shape: tuple[int, int], folder: Path) -> list[Part]:
    """Clips one after another in the file, and dealt into parts."""
    jobs, start = [], 0
    for (clip_id, path), source_frames in counts.items():
        jobs.append(Job(clip_id, path, start, source_frames))
        start += min(source_frames, shape[1])
    return [
        Part(number=number, jobs=tuple(jobs[at : at + PART]), size=shape[0], max_frames=shape[1], folder=str(folder))
        for number, at in enumerate(range(0, len(jobs), PART))
    ]


def reserve(path: Path, num_bytes: int) -> None:
    """The file in its full length, without content where nothing was written yet."""
    with path.open("ab") as file:
        file.truncate(num_bytes)


def _finished(part: Part) -> Record | None:
    """The record of a part that an earlier, interrupted run finished, if its clips and its bytes are the same.

    Parts with bad clips are decoded again: the files may have been mended in between.
    """
    try:
        content = json.loads(part.record_file.read_text(encoding="utf-8"))
        record = Record(content["checksum"], content["bad"])
        same = [Job(*job) for job in content["jobs"]] == list(part.jobs) and not record.bad
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    stored = checksum(Path(part.folder) / PIXELS, *part.region, 3 * part.size**2)
    return record if same and stored == record.checksum else None


def publish_json(content: object, path: Path) -> None:
    """Write a small file so that a reader sees all of it or nothing."""
    hidden = path.with_name(f".{path.name}.tmp")
    with hidden.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)
