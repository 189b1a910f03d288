"""A whole set: drawn by several processes, published in one move."""

import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from harness.datasets._faces.cast import Role, Size, draw_cast
from harness.datasets._faces.identities import Identity, draw_identity
from harness.datasets._faces.layout import clip_path, write_lists
from harness.datasets._faces.render import render_clip
from harness.datasets._faces.styles import STYLES
from harness.datasets._faces.video import write_video
from harness.seeds import derive

BATCH = 8
"""Clips that a process draws between two reports."""


def generate(
    root: Path, size: Size, seed: int, on_progress: Callable[[int, int], None] | None = None, workers: int = 1
) -> None:
    """Draw a set into ``root``, which appears only when complete. The bytes do not depend on ``workers``.

    Args:
        root: the folder to make; left alone if another process has made it meanwhile.
        size: how much to draw.
        seed: of everything.
        on_progress: called in this process with the clips done and the clips in all.
        workers: processes; 1 draws in this one.
    """
    cast = draw_cast(size, seed)
    with _published_whole(root) as folder:
        clip_path(folder, cast[0]).parent.mkdir(parents=True)
        done = 0
        for count in _draw_all(folder, cast, size, seed, workers):
            done += count
            if on_progress is not None:
                on_progress(done, len(cast))
        write_lists(folder, cast)


def draw_clips(folder: Path, roles: Sequence[Role], side: int, seed: int) -> int:
    """Draw and write some clips; gives their number."""
    styles = {style.name: style for style in STYLES}
    for role in roles:
        style = styles[role.style]
        frames = render_clip(role, person(role.identity, seed), style, side)
        write_video(clip_path(folder, role), frames, style.crf)
    return len(roles)


@lru_cache(maxsize=512)
def person(name: str, seed: int) -> Identity:
    """The person of a name in the set of a seed."""
    return draw_identity(name, np.random.Generator(np.random.PCG64(derive(seed, "identity", name))))


def _draw_all(folder: Path, cast: Sequence[Role], size: Size, seed: int, workers: int) -> Iterator[int]:
    """Numbers of clips as they are finished, batch by batch."""
    batches = [cast[start : start + BATCH] for start in range(0, len(cast), BATCH)]
    if workers <= 1:
        for batch in batches:
            yield draw_clips(folder, batch, size.side, seed)
        return
    with ProcessPoolExecutor(min(workers, len(batches)), mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(draw_clips, folder, batch, size.side, seed) for batch in batches]
        try:
            for job in as_completed(jobs):
                yield job.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _published_whole(root: Path) -> Iterator[Path]:
    """A hidden sibling folder to write to, renamed to ``root`` at the end and removed on failure."""
    # The name says whose it is, so that the next start can sweep it away should this process be killed.
    hidden = root.parent / f".{root.name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp"
    hidden.mkdir(parents=True)
    try:
        yield hidden
        try:
            hidden.rename(root)
        except OSError:
            if not root.is_dir():
                raise
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
