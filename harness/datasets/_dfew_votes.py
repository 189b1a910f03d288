"""DFEW's ``annotation.xlsx``: how many of ten annotators chose each class for each of its 16,372 clips.

Columns ``1happy 2sad 3neutral 4angry 5surprise 6disgust 7fear order label``: seven counts, the clip's number, and the
label from 1 to 7, or 0 where no class has enough votes. A workbook is a zip archive of XML files (ECMA-376); the
first sheet is read from them directly.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from harness.datasets._dfew_lists import ID_DIGITS, NUM_CLASSES
from harness.errors import HarnessError

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"

VOTES_FILE = "Annotation/annotation.xlsx"
"""Where DFEW's distribution keeps it."""

VOTE_COLUMNS = ("1happy", "2sad", "3neutral", "4angry", "5surprise", "6disgust", "7fear")


def read_votes(path: Path) -> dict[str, tuple[int, ...]]:
    """Votes per class, in label order, by padded clip id.

    Raises:
        HarnessError: if the file is missing, is no workbook, or has other columns; the row is named.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            strings = _strings(archive)
            rows = list(_rows(archive, strings))
    except FileNotFoundError:
        raise HarnessError(f"{path}: there is no such file; it comes with DFEW's labels.") from None
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, IndexError, ValueError) as error:
        raise HarnessError(f"{path}: not a readable xlsx workbook ({error}).") from None
    header = {name.strip().lower(): column for column, name in rows[0].items()} if rows else {}
    missing = [name for name in (*VOTE_COLUMNS, "order") if name not in header]
    if missing:
        raise HarnessError(f"{path}: no column is named '{missing[0]}'; there are {', '.join(header) or 'none'}.")
    votes = {}
    for number, row in enumerate(rows[1:], start=2):
        try:
            clip_id = f"{_whole(row[header['order']]):0{ID_DIGITS}d}"
            counts = tuple(_whole(row.get(header[name]) or "0") for name in VOTE_COLUMNS)
        except (KeyError, ValueError):
            raise HarnessError(
                f"{path}, row {number}: a vote or the clip's number is not a whole number from 0 on."
            ) from None
        if clip_id in votes:
            raise HarnessError(f"{path}, row {number}: clip '{clip_id}' is there twice.")
        votes[clip_id] = counts
    return votes


def agreement(votes: tuple[int, ...]) -> str:
    """How clear a clip is, as the name of a domain: ``7 of 10 agree``."""
    if len(votes) != NUM_CLASSES or sum(votes) == 0:
        return "no votes"
    return f"{max(votes)} of {sum(votes)} agree"


def _whole(text: str) -> int:
    """A cell as a count.

    Raises:
        ValueError: for anything else.
    """
    number = float(text)
    if number < 0 or not number.is_integer():
        raise ValueError(text)
    return int(number)


def _strings(archive: zipfile.ZipFile) -> list[str]:
    """Texts that cells refer to by number."""
    if STRINGS not in archive.namelist():
        return []
    tree = _parsed(archive, STRINGS)
    return ["".join(text.text or "" for text in item.iter(f"{SPACE}t")) for item in tree.iter(f"{SPACE}si")]


def _rows(archive: zipfile.ZipFile, strings: list[str]) -> Iterator[dict[str, str]]:
    """The sheet's rows as texts by column letter."""
    for row in _parsed(archive, SHEET).iter(f"{SPACE}row"):
        cells = {}
        for cell in row.iter(f"{SPACE}c"):
            column = re.sub(r"[0-9]+", "", cell.get("r", ""))
            text = "".join(part.text or "" for part in cell.iter() if part.tag in {f"{SPACE}v", f"{SPACE}t"})
            cells[column] = strings[int(text)] if cell.get("t") == "s" else text
        if any(cells.values()):
            yield cells


def _parsed(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    # The user's own copy of DFEW, not a file from strangers; expat limits entity expansion.
    return ElementTree.fromstring(archive.read(name))  # noqa: S314
