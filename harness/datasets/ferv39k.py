"""FERV39k: 38,935 clips of 22 scenes under one official split into training and test (Wang et al., CVPR 2022)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.data.clip import Clip, KnownCounts, OfficialFold, Source
from harness.datasets._clips import ClipFolder, list_clips
from harness.datasets._fold_lists import Entry, agreed, without_repeats
from harness.datasets._lists import Problems, leaves_root, read_rows
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, class_label, finish, source_of
from harness.datasets._roots import find_home, nested_folders
from harness.errors import HarnessError

CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")

INTEGER_ORDERS = (CLASSES, tuple(sorted(CLASSES)))
"""What integer labels count: DFEW's order (Former-DFER, DFER-CLIP, MAE-DFER, M3DFEL) or the alphabet (S2D, S4D).

No class has the same number in both, so one row tells them apart: a clip's folder is named for its class.
"""

LIST_FOLDERS = ("4_setups/All_scenes", "All_scenes", "annotation", "all_scenes", ".")
"""Where the lists are looked for, in this order."""


KNOWN = KnownCounts(
    test={1: (1473, 1393, 1958, 1487, 638, 467, 431)},
    train={1: (5854, 5523, 7790, 5906, 2502, 1833, 1680)},
    shorter_than_16=4070,
)
"""Counted from the public lists of all scenes."""


class Ferv39kOptions(ReaderOptions):
    """What a study may say of FERV39k, beside what it may say of every data set.

    Attributes:
        clips: folder of clips to use, by name or path under the root; by default the face crops.
        lists: folder of the two lists, relative to the root (``4_setups/22_scenes/War``); by default all scenes.
    """

    clips: str | None = None
    lists: str | None = None


@dataclass(frozen=True)
class Ferv39k:
    """Reader of FERV39k as its archives unpack; the scene is both the group and the domain of a clip."""

    title: str = "FERV39k"
    paper: str = "Wang et al., FERV39k: A Large-Scale Multi-Scene Dataset for FER in Videos, CVPR 2022"

    known: KnownCounts = KNOWN

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the two lists and find every listed clip; a clip's id is its path, ``Action/Sad/0010``.

        Raises:
            HarnessError: for a missing root, an unknown option, or lists that do not fit the files.
        """
        chosen = read_options(Ferv39kOptions, "ferv39k", options)
        home = find_home("ferv39k", root, lambda folder: bool(_find_lists(folder, chosen.lists)))
        problems = Problems()
        lists = {split: _read_list(path, problems) for split, path in _find_lists(home, chosen.lists).items()}
        train = {entry.clip_id: entry.where for entry in lists["train"]}
        for entry in lists["test"]:
            if entry.clip_id in train:
                problems.add(entry.where, f"test clip '{entry.clip_id}' is in training too ({train[entry.clip_id]})")
        labelled = agreed([*lists["train"], *lists["test"]], problems)
        clips = _clips(labelled, home, chosen.clips, problems)
        fold = OfficialFold(tuple(train), tuple(entry.clip_id for entry in lists["test"]))
        return finish(source_of("ferv39k", home, CLASSES, clips, {1: fold}), chosen, problems)


def _find_lists(home: Path, folder: str | None) -> dict[str, Path]:
    """The training and the test list in the first folder that holds both.

    Raises:
        HarnessError: if a folder holds two of one kind.
    """
    for base in [folder] if folder else LIST_FOLDERS:
        found: dict[str, Path] = {}
        for path in sorted((home / base).glob("*.*")):
            split = re.search(r"train|test", path.name.lower())
            if path.suffix not in {".csv", ".txt"} or not split:
                continue
            if split[0] in found:
                raise HarnessError(f"{found[split[0]]} and {path} both list {split[0]} clips; name one by 'lists'.")
            found[split[0]] = path
        if len(found) == 2:
            return found
    return {}


def _read_list(path: Path, problems: Problems) -> list[Entry]:
    """The clips of a list ``scene/class/number [frames] label``; there is no header, and none is skipped."""
    try:
        rows = read_rows(path, separator=None)
    except HarnessError as error:
        problems.found.append(str(error))
        return []
    found = [(row.where, _clip_path(row.cells), row.cells[-1]) for row in rows]
    numbers = [(clip[1], int(label)) for _, clip, label in found if clip and label.isdecimal()]
    order = next((order for order in INTEGER_ORDERS if _fits(order, numbers)), None)
    if order is None:
        problems.add(path, "integer labels fit the clips' folders neither in DFEW's order nor in the alphabet's")
        return []
    return without_repeats((_entry(where, clip, label, order, problems) for where, clip, label in found), problems)


def _clip_path(cells: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Scene, class and number: the last three parts of the path."""
    has_count = len(cells) > 2 and cells[-2].isdecimal()
    path = " ".join(cells[: -2 if has_count else -1])
    parts = re.split(r"[\\/]", path.strip("\\/"))
    if len(parts) < 3 or leaves_root(path.lstrip("/~")):
        return None
    return (parts[-3], parts[-2], parts[-1])


def _fits(order: tuple[str, ...], numbers: list[tuple[str, int]]) -> bool:
    """Whether every number names the class of the clip's folder in this order."""
    return all(number < len(order) and order[number].lower() == folder.lower() for folder, number in numbers)


def _entry(
    where: str, clip: tuple[str, str, str] | None, label: str, order: tuple[str, ...], problems: Problems
) -> Entry | None:
    """One row, its label from the word or the number and seen to agree with the folder."""
    if clip is None:
        problems.add(where, "the row is not 'scene/class/number label', or points outside the data set")
        return None
    try:
        word = order[int(label)] if label.isdecimal() else label
        number = class_label(word, CLASSES)
        if number != class_label(clip[1], CLASSES):
            raise HarnessError(f"clip '{'/'.join(clip)}' is labelled {label} but lies in the folder {clip[1]}")
    except HarnessError as error:
        problems.add(where, str(error))
        return None
    return Entry(where, "/".join(clip), number, label)


def _clips(labelled: dict[str, Entry], home: Path, chosen: str | None, problems: Problems) -> Iterator[Clip]:
    """Every listed clip with its file; each folder of clips is listed once."""
    if not labelled:
        return
    base = _clips_home(home, chosen, list(labelled))
    listed = cache(list_clips)
    for clip_id, entry in labelled.items():
        folder, _, number = clip_id.rpartition("/")
        try:
            found: ClipFolder = listed(base / folder)
            path = found.find(number)
        except HarnessError as error:
            problems.bad[clip_id] = f"{entry.where}: {error}"
            path = base / clip_id
        scene = clip_id.split("/")[0]
        yield Clip(clip_id=clip_id, path=path, label=entry.label, group=scene, domain=scene)


def _clips_home(home: Path, chosen: str | None, clip_ids: list[str]) -> Path:
    """The folder that holds the scenes, face crops before whole scenes, however deep the archive nested it.

    Raises:
        HarnessError: if there is none.
    """
    scenes = {clip_id.split("/")[0] for clip_id in clip_ids}
    start = home / chosen if chosen else home
    found = [folder for folder in nested_folders(start, 3) if any((folder / scene).is_dir() for scene in scenes)]
    found.sort(key=lambda folder: "face" not in folder.relative_to(home).as_posix().lower())
    if not found:
        raise HarnessError(f"ferv39k: no folder under {start} holds the scenes ({', '.join(sorted(scenes)[:3])}, ...).")
    return found[0]


ferv39k = Ferv39k()
