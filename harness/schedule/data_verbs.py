"""What the command line does with data sets: draw, inspect and pack them, and show perturbations on a clip."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from harness.data.decode import count_frames, read_frames
from harness.data.inspect import inspect
from harness.data.inspection_text import inspection_text
from harness.data.opening import open_source
from harness.data.sampling import sample
from harness.data.store import pack
from harness.datasets.synthetic import VERSION, synthesize, synthetic, synthetic_home
from harness.errors import CollectedError
from harness.paths import pack_folder, synthetic_folder
from harness.schedule.bars import clip_bar
from harness.tables.temporary import sweep
from harness.train.conditions import expand
from perturbations import _contact_sheet, _gallery

WORKERS = os.cpu_count() or 1


def synthesize_shown(size: str, seed: int, root: Path | None, console: Console) -> Path:
    """Draw the embedded data set with a progress bar; where it lies.

    Raises:
        HarnessError: for an unknown size, or a folder that exists.
    """
    sweep(synthetic_home())
    folder = root or synthetic_folder(size, seed, VERSION)
    with clip_bar(console, "drawing clips") as advance:
        synthesize(folder, size, seed, advance, workers=WORKERS)
    return folder


def inspect_shown(root: Path, dataset: str | None, decode: bool, console: Console) -> str:
    """What lies under a root, and in which way it differs from what is known, as text.

    Raises:
        HarnessError: if no reader knows the layout.
    """
    with clip_bar(console, "looking at clips") as advance:
        return inspection_text(inspect(root, dataset, decode=decode, workers=WORKERS, on_progress=advance))


def pack_shown(dataset: str, root: Path | None, size: int, max_frames: int, console: Console) -> Path:
    """Pack a data set's clips with a progress bar; where the pack lies.

    Raises:
        HarnessError: for a data set that cannot be opened, or clips that cannot be read; all of them are named.
    """
    source = open_source(dataset, root, {})
    with clip_bar(console, "packing clips") as advance:
        packed = pack(source, size, max_frames, workers=WORKERS, on_progress=advance)
    if packed.bad:
        problems = [f"clip '{clip_id}': {reason}" for clip_id, reason in sorted(packed.bad.items())]
        raise CollectedError(f"{len(problems)} clips cannot be read; the others are packed.", problems)
    return pack_folder(source.fingerprint, size, max_frames)


def gallery_shown(wanted: Sequence[str], video: Path | None, folder: Path, small: bool = False) -> Path:
    """Contact sheets of perturbations on one clip; the page that shows them all, or the folder of sheets.

    Args:
        wanted: perturbations, or suites of them; the core suite if empty.
        video: the clip; one of the embedded data set if None.
        folder: gets the sheets and ``index.html``.
        small: draw one small picture of each instead, and no page.

    Raises:
        HarnessError: for a name that is neither, or a video that cannot be read.
    """
    members = expand(wanted or ["core"])
    path = video or next(iter(synthetic.open(None, {}).clips.values())).path
    indices = sample("segment_center", count_frames(path), 16, 0)
    frames = torch.from_numpy(np.ascontiguousarray(read_frames(path, indices.tolist(), 112)))
    clip = frames.permute(0, 3, 1, 2)
    if small:
        return _contact_sheet.write_pictures(members, clip, folder)[0].parent
    return _gallery.write(members, clip, folder)
