"""Data sets without lists: what a clip is stands in its file's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.data.clip import Clip
from harness.data.files import natural_key
from harness.datasets._clips import check_not_empty, list_clips
from harness.datasets._lists import Problems
from harness.datasets._roots import check_root, nested_folders
from harness.errors import HarnessError

Decode = Callable[[str, Path], Clip | None]


def named_clips(dataset: str, root: Path | None, decode: Decode, depth: int, problems: Problems) -> Iterator[Clip]:
    """The clips under a root whose names ``decode`` understands, in natural order of their ids.

    Args:
        dataset: the data set's name.
        root: where to look.
        decode: gives the clip for a name and path, or ``None`` for a name of another kind.
        depth: how many folders below the root clips may lie.
        problems: takes clips that are empty, stubs, or there twice.

    Raises:
        HarnessError: if the root is missing or holds no such clip.
    """
    home = check_root(dataset, root)
    found: dict[str, Clip] = {}
    for folder in nested_folders(home, depth):
        for name, entries in list_clips(folder).entries.items():
            clip = decode(name, folder / entries[0])
            if clip is None:
                continue
            if len(entries) > 1 or clip.clip_id in found:
                other = found[clip.clip_id].path if clip.clip_id in found else folder / entries[1]
                problems.add(clip.path, f"clip '{clip.clip_id}' is there twice, the other is {other}")
            found[clip.clip_id] = clip
    if not found:
        raise HarnessError(f"{dataset}: no clip under {home} is named as {dataset} names its clips.")
    for clip in found.values():
        try:
            check_not_empty(clip.path)
        except HarnessError as error:
            problems.bad[clip.clip_id] = str(error)
    yield from sorted(found.values(), key=lambda clip: natural_key(clip.clip_id))
