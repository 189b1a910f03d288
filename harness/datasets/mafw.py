"""MAFW: 10,045 clips from films and shows, 9,172 with one of eleven labels in five folds (Liu et al., ACM MM 2022)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.data.clip import Clip, Source
from harness.datasets._clips import list_clips
from harness.datasets._fold_lists import Entry, ListFile, agreed, find_fold_lists, folds_of, without_repeats
from harness.datasets._lists import Problems, Row, read_rows
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, finish, source_of
from harness.datasets._roots import clip_folder_of, find_home
from harness.errors import HarnessError, unknown

CLASSES = (
    "Happiness",
    "Sadness",
    "Neutral",
    "Anger",
    "Surprise",
    "Disgust",
    "Fear",
    "Contempt",
    "Anxiety",
    "Helplessness",
    "Disappointment",
)

ORDERS = {
    "dfer_clip": CLASSES,
    "mae_dfer": tuple(CLASSES[position] for position in (3, 5, 6, 0, 2, 1, 4, 7, 8, 9, 10)),
    "alphabetical": tuple(sorted(CLASSES)),
}
"""What integer labels count in the lists of DFER-CLIP, MAE-DFER and S2D."""

CLIP_FOLDERS = ("faces", "frames", "clips")
"""Under ``data/``: extracted faces before whole frames before videos. MAFW itself distributes only videos."""


class MafwOptions(ReaderOptions):
    """What a study may say of MAFW, beside what it may say of every data set.

    Attributes:
        labels: the eleven single labels, or the compound ones (``anger_disgust``), whose classes are those that occur.
        label_order: what integer labels count; needed where the lists give integers instead of words.
        clips: folder of clips to use, by name or path; by default the first of ``CLIP_FOLDERS`` in ``data``.
        lists: folder of the lists, relative to the root; by default ``split/<labels>/no_caption``.
    """

    labels: Literal["single", "compound"] = "single"
    label_order: Literal["dfer_clip", "mae_dfer", "alphabetical"] | None = None
    clips: str | None = None
    lists: str | None = None


@dataclass(frozen=True)
class Mafw:
    """Reader of MAFW's own lists and of the field's lists of the same form."""

    title: str = "MAFW"
    paper: str = "Liu et al., MAFW: A Large-scale, Multi-modal, Compound Affective Database for DFER, ACM MM 2022"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the five-fold lists and find every listed clip.

        Raises:
            HarnessError: for a missing root, an unknown option, or lists that do not fit the files.
        """
        chosen = read_options(MafwOptions, "mafw", options)
        home = find_home("mafw", root, lambda folder: bool(_find_lists(folder, chosen)))
        problems = Problems()
        rows = {file: list(_rows(file.path, problems)) for file in _find_lists(home, chosen)}
        classes = _classes([row for found in rows.values() for row in found], chosen)
        lists = {
            file: without_repeats((_entry(row, classes, chosen, problems) for row in found), problems)
            for file, found in rows.items()
        }
        labelled = agreed([entry for entries in lists.values() for entry in entries], problems)
        clips = list(_clips(labelled, home, chosen.clips, problems))
        folds = folds_of(lists, problems)
        return finish(source_of("mafw", home, classes, clips, folds), chosen, problems)


def _find_lists(home: Path, chosen: MafwOptions) -> list[ListFile]:
    """The lists of the chosen labels."""
    own = [f"{top}{chosen.labels}/no_caption" for top in ("split/", "")]
    return find_fold_lists(home, [chosen.lists] if chosen.lists else [*own, "annotation", "."])


def _rows(path: Path, problems: Problems) -> Iterator[Row]:
    """The lines ``03747.mp4 anger``, ``path label`` or ``path num_frames label`` as name and label."""
    try:
        rows = read_rows(path, separator=None)
    except HarnessError as error:
        problems.found.append(str(error))
        return
    for where, cells in rows:
        name = re.fullmatch(r"([0-9]{1,5})(\.[A-Za-z0-9]{3,4})?", re.split(r"[\\/]", cells[0].rstrip("\\/"))[-1])
        if name is None or ".." in cells[0] or not 2 <= len(cells) <= 3:
            problems.add(where, f"'{' '.join(cells)}' is not a clip's number and its label")
        else:
            yield Row(where, (name[1].zfill(5), cells[-1]))


def _classes(rows: list[Row], chosen: MafwOptions) -> tuple[str, ...]:
    """The eleven classes, or the compound ones that occur."""
    if chosen.labels == "single":
        return CLASSES
    return tuple(sorted({row.cells[1].capitalize() for row in rows}))


def _entry(row: Row, classes: tuple[str, ...], chosen: MafwOptions, problems: Problems) -> Entry | None:
    """One row with its label as a number."""
    name, word = row.cells
    if word.isdecimal():
        order = ORDERS.get(chosen.label_order or "", ())
        if int(word) >= len(order):
            say = "state what integers count by the option 'label_order'" if not order else "outside the classes"
            problems.add(row.where, f"clip '{name}' has label {word}: {say}")
            return None
        word = order[int(word)]
    if word.capitalize() not in classes:
        problems.add(row.where, str(unknown("class", word, [one.lower() for one in classes])))
        return None
    return Entry(row.where, name, classes.index(word.capitalize()), name)


def _clips(labelled: dict[str, Entry], home: Path, chosen: str | None, problems: Problems) -> Iterator[Clip]:
    """Every listed clip with its file."""
    if not labelled:
        return
    data = home / "data" if (home / "data").is_dir() else home
    folder = list_clips(clip_folder_of(data, chosen, CLIP_FOLDERS))
    for clip_id, entry in labelled.items():
        path = folder.folder / clip_id
        try:
            path = folder.find(clip_id)
        except HarnessError as error:
            problems.bad[clip_id] = f"{entry.where}: {error}"
        yield Clip(clip_id=clip_id, path=path, label=entry.label)


mafw = Mafw()
