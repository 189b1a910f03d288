"""Where a data set really lies under the folder that a user names: archives unpack to nested folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.errors import HarnessError, near_miss

DEPTH = 2
"""Levels of nested folders that are searched (``DFEW/DFEW-part2``, ``FERV39K/FERV39k``)."""


def check_root(dataset: str, root: Path | None) -> Path:
    """The root as an absolute path.

    Raises:
        HarnessError: if none is given or it is not a folder; the nearest existing name is offered.
    """
    if root is None:
        raise HarnessError(f"dataset {dataset} needs 'root', the folder that it lies in.")
    root = root.expanduser().absolute()
    if root.is_dir():
        return root
    if root.exists():
        raise HarnessError(f"dataset {dataset}: root {root} is a file, not a folder.")
    parent = next(parent for parent in root.parents if parent.is_dir())
    siblings = [path.name for path in parent.iterdir() if path.is_dir()]
    missing = root.relative_to(parent).parts[0]
    raise HarnessError(f"dataset {dataset}: there is no {root}. In {parent}: {near_miss(missing, siblings)}")


def find_home(dataset: str, root: Path | None, is_home: Callable[[Path], bool]) -> Path:
    """The folder at or under the root that a data set's layout starts from, searched breadth first.

    Raises:
        HarnessError: if the root is missing or no such folder is under it.
    """
    root = check_root(dataset, root)
    for folder in nested_folders(root, DEPTH):
        if is_home(folder):
            return folder
    seen = ", ".join(sorted(path.name for path in root.iterdir())[:10]) or "nothing"
    raise HarnessError(f"dataset {dataset}: found no lists under {root} (it holds {seen}).")


def nested_folders(root: Path, depth: int) -> Iterator[Path]:
    """The root, its folders, their folders and so on; folders of very many entries are clips and are not entered."""
    level = [root]
    yield root
    for _ in range(depth):
        level = [child for folder in level for child in _folders(folder)]
        yield from level


def _folders(folder: Path, limit: int = 100) -> list[Path]:
    """The sub-folders of a folder, or none if there are so many that they must be clips."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    return [folder / name for name in names] if len(names) <= limit else []


def clip_folder_of(home: Path, chosen: str | None, known: Sequence[str]) -> Path:
    """The folder of clips: the one chosen by name or path, else the first of the known names that is there.

    Raises:
        HarnessError: if there is none; the folders that are there are named.
    """
    places = [home / "Clip", home / "clip", home]
    for name in [chosen] if chosen else known:
        for place in places:
            if (place / name).is_dir():
                return place / name
    there = [path.name for place in places if place.is_dir() for path in _folders(place)]
    if chosen:
        raise HarnessError(f"option 'clips': no folder '{chosen}' under {home}. {near_miss(chosen, there)}")
    raise HarnessError(
        f"no folder of clips under {home}: looked for {', '.join(known)} in it and in Clip/. "
        f"There are: {', '.join(sorted(there)) or 'none'}. Name one with the option 'clips'."
    )
