"""Any data set without code: ``root/<class>/<clip>``, videos or frame folders, and if wanted a list beside them.

The list ``clips.csv`` has the column ``clip`` (the path from the root) and any of ``label``, ``group``, ``domain``,
``fold`` (the number of the fold that tests the clip, 0 for none) and ``split`` (``train`` or ``test``). Columns
``votes:<class>``, one for each class, hold how many annotators chose it. Without the list a clip's class is its folder,
and k folds are made.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.data.clip import Clip, OfficialFold, Source
from harness.data.files import is_video, natural_key
from harness.data.votes import shares_of
from harness.datasets._clips import check_not_empty, list_clips
from harness.datasets._lists import Problems, leaves_root, read_text
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, finish, source_of
from harness.datasets._roots import check_root
from harness.datasets._vote_columns import VOTES, check_columns, take_votes
from harness.errors import HarnessError, near_miss

COLUMNS = ("clip", "label", "group", "domain", "fold", "split")


class ClipFolderOptions(ReaderOptions):
    """What a study may say of a folder of clips, beside what it may say of every data set.

    Attributes:
        listing: name of the list, relative to the root; ``clips.csv`` is read if it is there, any other is demanded.
        unlisted: whether clips in class folders that the list does not name are an error or are passed over.
    """

    listing: str | None = None
    unlisted: Literal["error", "ignore"] = "error"


class Listed(NamedTuple):
    """One clip as listed or as found: where it says so, its path from the root, and what is known of it.

    Attributes:
        votes: by class.
    """

    where: str
    name: str
    label: str
    group: str = ""
    domain: str = ""
    fold: str = ""
    split: str = ""
    votes: dict[str, float] = {}  # noqa: RUF012 - a NamedTuple's default, never changed


@dataclass(frozen=True)
class ClipFolderDataset:
    """Reader of a folder per class."""

    title: str = "A folder of clips"
    paper: str = "none: the user's own clips"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the list, if there is one, or the folders; classes are in alphabetical order unless chosen.

        Raises:
            HarnessError: for a missing root, an unknown option, or a list that does not fit the files.
        """
        chosen = read_options(ClipFolderOptions, "clip_folder", options)
        home = check_root("clip_folder", root)
        problems = Problems()
        list_file = home / (chosen.listing or "clips.csv")
        rows = there = _from_folders(home)
        if chosen.listing or list_file.is_file():
            rows = _from_list(list_file, problems)
            if chosen.unlisted == "error":
                _note_unlisted(rows, there, list_file, problems)
        if not rows and not problems.found:
            raise HarnessError(f"clip_folder: {home} holds no clips; they are looked for in {home}/<class>/.")
        classes = sorted({row.label for row in rows})
        check_columns(next(((row.where, row.votes) for row in rows if row.votes), None), classes, problems)
        clips = [_clip(home, row, classes, problems) for row in rows]
        folds = _folds(rows, problems)
        return finish(source_of("clip_folder", home, classes, clips, folds), chosen, problems)


def _from_folders(home: Path) -> list[Listed]:
    """Every video and frame folder in every class folder."""
    found: list[Listed] = []
    for folder in sorted(path for path in home.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for entries in list_clips(folder).entries.values():
            found.extend(Listed(str(folder), f"{folder.name}/{entry}", folder.name) for entry in entries)
    return sorted(found, key=lambda row: natural_key(row.name))


def _note_unlisted(rows: Sequence[Listed], there: Sequence[Listed], list_file: Path, problems: Problems) -> None:
    """Files without rows: clips that would be passed over without a word."""
    listed = {row.name for row in rows}
    unlisted = [row.name for row in there if row.name not in listed]
    if rows and unlisted:
        more = f" and {len(unlisted) - 1} other clips are" if len(unlisted) > 1 else " is"
        problems.add(list_file, f"'{unlisted[0]}'{more} not listed; list them, or set the option unlisted: ignore")


def _from_list(path: Path, problems: Problems) -> list[Listed]:
    """The rows of the list; a label that is not given is the folder's name."""
    table = list(csv.reader(io.StringIO(read_text(path))))
    header = [cell.strip() for cell in table[0]] if table else []
    header = [cell if cell.startswith(VOTES) else cell.lower() for cell in header]
    unknown = [name for name in header if name not in COLUMNS and not name.startswith(VOTES)]
    if unknown or "clip" not in header or len(set(header)) != len(header):
        what = f"unknown column '{unknown[0]}': {near_miss(unknown[0], COLUMNS)}" if unknown else "no column 'clip'"
        problems.add(f"{path}:1", what if "clip" not in header or unknown else "a column is there twice")
        return []
    rows: dict[str, Listed] = {}
    for number, cells in enumerate(table[1:], start=2):
        where = f"{path}:{number}"
        row = _row(where, header, cells, problems) if any(cells) else None
        if row and row.name in rows:
            problems.add(where, f"clip '{row.name}' is listed already at {rows[row.name].where}")
        elif row:
            rows[row.name] = row
    return list(rows.values())


def _row(where: str, header: Sequence[str], cells: Sequence[str], problems: Problems) -> Listed | None:
    """One row of the list."""
    if len(cells) != len(header):
        problems.add(where, f"{len(cells)} cells under a header of {len(header)}")
        return None
    values = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
    name = values.pop("clip").replace("\\", "/").strip("/")
    if not name or leaves_root(name):
        problems.add(where, f"'{name}' points outside the data set" if name else "the clip's name is empty")
        return None
    label = values.pop("label", "") or (name.split("/")[0] if "/" in name else "")
    if not label:
        problems.add(where, f"clip '{name}' has no label, and lies in no class folder")
        return None
    return Listed(where, name, label, votes=take_votes(where, values, problems), **values)


def _clip(home: Path, row: Listed, classes: Sequence[str], problems: Problems) -> Clip:
    """A clip with its file; the id is the path from the root."""
    path = home / row.name
    try:
        if not path.exists():
            raise HarnessError(f"clip '{row.name}' has no file in {home}")
        if not path.is_dir() and not is_video(path.name):
            raise HarnessError(f"{path} is neither a video nor a folder of frames")
        check_not_empty(path)
    except HarnessError as error:
        problems.bad[row.name] = f"{row.where}: {error}"
    return Clip(
        clip_id=row.name,
        path=path,
        label=classes.index(row.label),
        group=row.group,
        domain=row.domain,
        label_distribution=shares_of(tuple(row.votes.get(name, 0.0) for name in classes)),
    )


def _folds(rows: Sequence[Listed], problems: Problems) -> dict[int, OfficialFold]:
    """The folds that the list states: by the number of the fold that tests a clip (0: none), or one by ``split``."""
    if any(row.fold for row in rows):
        stated = {row.name: row.fold for row in rows}
    elif any(row.split for row in rows):
        stated = {row.name: {"test": "1", "train": "0"}.get(row.split.lower(), row.split) for row in rows}
    else:
        return {}
    for row in rows:
        if not stated[row.name].isdecimal():
            problems.add(row.where, f"'{stated[row.name]}' is neither the number of a fold nor train or test")
    numbers = {name: int(fold) for name, fold in stated.items() if fold.isdecimal()}
    return {
        number: OfficialFold(
            tuple(name for name, fold in numbers.items() if fold != number),
            tuple(name for name, fold in numbers.items() if fold == number),
        )
        for number in sorted(set(numbers.values()) - {0})
    }


clip_folder = ClipFolderDataset()
