"""Finding lists of folds by what their names say: the fold's number, and training or test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from harness.data.clip import OfficialFold
from harness.datasets._lists import Problems
from harness.errors import HarnessError


class ListFile(NamedTuple):
    """One list: its file, the fold's number, and ``train`` or ``test``."""

    path: Path
    fold: int
    split: str


class Entry(NamedTuple):
    """One clip in one list: where it stands, its id, its label, and its name as the list writes it."""

    where: str
    clip_id: str
    label: int
    written: str


def find_fold_lists(home: Path, folders: Sequence[str]) -> list[ListFile]:
    """The lists in the first of some folders that holds any, by fold and split; empty if none does.

    Raises:
        HarnessError: if two files are the same fold and split.
    """
    for folder in folders:
        found = sorted(_lists_under(home / folder), key=lambda one: (one.fold, one.split))
        for one, other in pairwise(found):
            if one[1:] == other[1:]:
                raise HarnessError(
                    f"{one.path} and {other.path} both list fold {one.fold} for {one.split}; "
                    "choose a folder with the option 'lists'."
                )
        if found:
            return found
    return []


def _lists_under(base: Path) -> Iterator[ListFile]:
    """Lists directly in a folder, or in folders below it whose names speak of a split."""
    if not base.is_dir():
        return
    inner = [path for path in base.iterdir() if re.search(r"train|test|set|split|fold", path.name.lower())]
    for path in [path for folder in [base, *inner] for path in folder.glob("*.*")]:
        told = path.relative_to(base).as_posix().lower()
        split = re.search(r"train|test", told)
        fold = re.search(r"(?:set|split|fold)_?0*([1-9])(?![0-9])", told)
        if path.suffix in {".csv", ".txt"} and split and fold and "multi" not in told:
            yield ListFile(path, int(fold[1]), split[0])


def without_repeats(entries: Iterable[Entry | None], problems: Problems) -> list[Entry]:
    """The entries of one list, each clip once; ``None`` stands for a row that was noted as a problem."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        if entry is None:
            continue
        if entry.clip_id in seen:
            problems.add(entry.where, f"clip '{entry.clip_id}' is listed already at {seen[entry.clip_id].where}")
        else:
            seen[entry.clip_id] = entry
    return list(seen.values())


def folds_of(lists: dict[ListFile, list[Entry]], problems: Problems) -> dict[int, OfficialFold]:
    """Folds by number; each needs both of its lists, and no clip may be in both."""
    folds = {}
    for fold in sorted({file.fold for file in lists}):
        split = {file.split: (file, entries) for file, entries in lists.items() if file.fold == fold}
        if len(split) < 2:
            ((here, _),) = split.values()
            missing = "train" if here.split == "test" else "test"
            problems.add(here.path, f"fold {fold} has no {missing} list beside this one")
            continue
        train = {entry.clip_id: entry.where for entry in split["train"][1]}
        for entry in split["test"][1]:
            if entry.clip_id in train:
                problems.add(entry.where, f"test clip '{entry.clip_id}' is in training too ({train[entry.clip_id]})")
        folds[fold] = OfficialFold(tuple(train), tuple(entry.clip_id for entry in split["test"][1]))
    return folds


def agreed(entries: Iterable[Entry], problems: Problems) -> dict[str, Entry]:
    """One entry per clip, by id; lists that disagree about a clip's label are a problem."""
    known: dict[str, Entry] = {}
    for entry in entries:
        first = known.setdefault(entry.clip_id, entry)
        if first.label != entry.label:
            problems.add(entry.where, f"clip '{entry.clip_id}' has another label than at {first.where}")
    return dict(sorted(known.items()))
