"""DFEW's five-fold lists in every form met in the field, told apart by their content.

======================= ================================== ====================================================
from                    a line                             labels
======================= ================================== ====================================================
DFEW, M3DFEL, HDF       ``2522,3`` under video_name,label  1 to 7, ids without padding
S2D, S4D                ``02522,2`` under the same header  0 to 6, ids padded
Former-DFER, DFER-CLIP  ``path num_frames label``          0 to 6
IAL                     the same with Windows line ends    0 to 6
MAE-DFER                ``path label``                     0 to 6
======================= ================================== ====================================================

The number of frames in a list is not used: it is clamped or off by one in several of them. Frames are counted on disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.datasets._fold_lists import Entry, ListFile, find_fold_lists, without_repeats
from harness.datasets._lists import Problems, Row, column, leaves_root, read_rows
from harness.errors import HarnessError

NUM_CLASSES = 7
LIST_FOLDERS = ("EmoLabel_DataSplit", "label", "labels", "annotation", "annotations", ".")
"""Where lists are looked for, in this order; the first folder that holds any is taken."""

ID_DIGITS = 5
"""DFEW's clips are named 00001 to 16372."""


def find_lists(home: Path, folder: str | None) -> list[ListFile]:
    """The lists under a folder, by fold and split; empty if there are none."""
    return find_fold_lists(home, [folder] if folder else LIST_FOLDERS)


def read_list(path: Path, problems: Problems) -> list[Entry]:
    """The clips of one list; rows that cannot be read are noted as problems."""
    try:
        rows = read_rows(path)
    except HarnessError as error:
        problems.found.append(str(error))
        return []
    if rows and len(rows[0].cells) == 1:
        entries: Iterator[Entry | None] = (
            _spaced(Row(row.where, tuple(",".join(row.cells).rsplit(maxsplit=1))), problems) for row in rows
        )
    else:
        entries = _comma_separated(rows, problems)
    return without_repeats(entries, problems)


def _comma_separated(rows: list[Row], problems: Problems) -> Iterator[Entry | None]:
    """Rows under the header ``video_name,label``; without it the first clip would be lost unseen."""
    if not rows:
        return
    header = rows[0].cells
    name, label = column(header, ["video_name"]), column(header, ["label"])
    if name is None or label is None:
        problems.add(rows[0].where, f"the header is '{','.join(header)}' instead of 'video_name,label'")
        return
    for row in rows[1:]:
        if len(row.cells) != len(header):
            problems.add(row.where, f"{len(row.cells)} cells under a header of {len(header)}")
        else:
            yield _entry(row.where, row.cells[name], row.cells[label], problems)


def _spaced(row: Row, problems: Problems) -> Entry | None:
    """A row ``path label`` or ``path num_frames label``."""
    if len(row.cells) != 2:
        problems.add(row.where, f"'{row.cells[0]}' is neither 'path label' nor 'path num_frames label'")
        return None
    path, label = row.cells
    head, _, last = path.rpartition(" ")
    stem = head if head and last.isdecimal() else path
    if leaves_root(stem.lstrip("/~")):
        problems.add(row.where, f"'{stem}' points outside the data set")
        return None
    return _entry(row.where, re.split(r"[\\/]", stem.rstrip("\\/"))[-1], label, problems)


def _entry(where: str, name: str, label: str, problems: Problems) -> Entry | None:
    """A clip by its number; anything else, a path among others, is not a name that DFEW gives."""
    match = re.fullmatch(r"([0-9]{1,5})(\.[A-Za-z0-9]{3,4})?", name)
    if not match:
        what = "points outside the data set" if leaves_root(name) else "is not a clip number of 1 to 5 digits"
        problems.add(where, f"'{name}' {what}")
        return None
    if not re.fullmatch(r"-?[0-9]+", label):
        problems.add(where, f"label '{label}' is not a whole number")
        return None
    return Entry(where, match[1].zfill(ID_DIGITS), int(label), match[1])


def label_offset(entries: list[Entry], stated: int | None) -> int:
    """Whether labels count from 0 or from 1, seen over all lists together: a 0 or a 7 decides.

    Lists with neither decide by DFEW's own signature: ids without padding belong to labels from 1.

    Raises:
        HarnessError: if both occur or nothing decides; the option to state it is named.
    """
    if stated is not None:
        return stated
    zero = next((entry for entry in entries if entry.label == 0), None)
    seven = next((entry for entry in entries if entry.label == NUM_CLASSES), None)
    if zero and seven:
        raise HarnessError(
            f"labels run from 0 ({zero.where}) to 7 ({seven.where}), so they count neither from 0 nor from 1; "
            "mend the lists, or state the option 'label_offset' (0 or 1) to see which rows do not fit."
        )
    if zero or seven:
        return 0 if zero else 1
    if any(len(entry.written) < ID_DIGITS for entry in entries):
        return 1
    raise HarnessError(
        "no label is 0 or 7, so the lists do not tell whether labels count from 0 or from 1; "
        "state it with the option 'label_offset' (0 or 1)."
    )
