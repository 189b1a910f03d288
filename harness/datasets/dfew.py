"""DFEW: 16,372 film clips, 11,697 of them with a single label in five official folds (Jiang et al., ACM MM 2020)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.data.clip import Clip, OfficialFold, Source
from harness.datasets._classes import keep_classes
from harness.datasets._clips import list_clips
from harness.datasets._dfew_lists import ID_DIGITS, Entry, ListFile, find_lists, label_offset, read_list
from harness.datasets._lists import Problems
from harness.datasets._meta import Meta, read_meta
from harness.datasets._options import read_options
from harness.datasets._roots import clip_folder_of, find_home
from harness.errors import HarnessError
from harness.spec.strict import Strict

CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")

CLIP_FOLDERS = (
    "clip_224x224",
    "jpg_256",
    "clip_jpg_256",
    "DFEW_Face",
    "DFEW_Frame_Face",
    "clip_224x224_16f",
    "clip_224x16f",
    "clip_224x224_avi",
    "clip_224x224_mp4",
)
"""Names under which the aligned faces lie on people's disks, the preferred one first: all frames before 16 frames."""


class DfewOptions(Strict):
    """What a study may say of DFEW.

    Attributes:
        clips: folder of clips to use, by name or path; by default the first of ``CLIP_FOLDERS`` that is there.
        lists: folder of the lists, relative to the root; by default it is searched for.
        label_offset: number of the first class in the lists (0 or 1); by default seen from the lists.
        classes: classes to keep, in the order of their new labels; by default all seven.
    """

    clips: str | None = None
    lists: str | None = None
    label_offset: Literal[0, 1] | None = None
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Dfew:
    """Reader of DFEW's own directory layout and of data sets laid out like it."""

    title: str = "DFEW"
    paper: str = "Jiang et al., DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions, ACM MM 2020"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the five-fold lists and find every listed clip.

        Raises:
            HarnessError: for a missing root, an unknown option, or lists that do not fit the files; every row that
                does not fit is named with file and line.
        """
        chosen = read_options(DfewOptions, "dfew", options)
        home = find_home("dfew", root, lambda folder: bool(find_lists(folder, chosen.lists)))
        problems = Problems()
        files = find_lists(home, chosen.lists)
        entries = {file: read_list(file.path, problems) for file in files}
        folds = _folds(entries, problems)
        labels = _labels(entries.values(), chosen.label_offset, problems)
        clips = _clips(labels, home, chosen.clips, problems)
        problems.raise_if_any(f"dfew at {home}: the lists and the files do not fit")
        source = Source(name="dfew", root=home, classes=CLASSES, clips=clips, folds=folds, excluded={})
        return keep_classes(source, chosen.classes)


def _folds(entries: dict[ListFile, list[Entry]], problems: Problems) -> dict[int, OfficialFold]:
    """Folds by number; each needs both of its lists, and no clip may be in both."""
    folds = {}
    for fold in sorted({file.fold for file in entries}):
        split = {file.split: (file, rows) for file, rows in entries.items() if file.fold == fold}
        if len(split) < 2:
            (here,) = split.values()
            missing = "train" if here[0].split == "test" else "test"
            problems.add(here[0].path, f"fold {fold} has no {missing} list beside this one")
            continue
        train = {entry.clip_id: entry.where for entry in split["train"][1]}
        for entry in split["test"][1]:
            if entry.clip_id in train:
                problems.add(entry.where, f"test clip '{entry.clip_id}' is in training too ({train[entry.clip_id]})")
        folds[fold] = OfficialFold(tuple(train), tuple(entry.clip_id for entry in split["test"][1]))
    return folds


def _labels(lists: Iterable[list[Entry]], stated: int | None, problems: Problems) -> dict[str, Entry]:
    """One entry per clip with its label counted from 0; lists that disagree about a clip are a problem."""
    entries = [entry for rows in lists for entry in rows]
    if not entries:
        return {}
    try:
        offset = label_offset(entries, stated)
    except HarnessError as error:
        problems.found.append(str(error))
        return {}
    labels: dict[str, Entry] = {}
    for entry in entries:
        label = entry.label - offset
        if not 0 <= label < len(CLASSES):
            span = f"{offset} to {len(CLASSES) - 1 + offset}"
            problems.add(entry.where, f"clip '{entry.clip_id}' has label {entry.label}, outside {span}")
        known = labels.setdefault(entry.clip_id, entry._replace(label=label))
        if known.label != label:
            problems.add(entry.where, f"clip '{entry.clip_id}' has another label than at {known.where}")
    return labels


def _clips(labels: dict[str, Entry], home: Path, chosen: str | None, problems: Problems) -> dict[str, Clip]:
    """Every listed clip with its file, group and domain."""
    if not labels:
        return {}
    folder = list_clips(clip_folder_of(home, chosen, CLIP_FOLDERS))
    meta = read_meta(home / "meta.csv", ID_DIGITS, problems)
    clips = {}
    for clip_id, entry in sorted(labels.items()):
        about = meta.get(clip_id)
        if meta and about is None:
            problems.add(home / "meta.csv", f"no row for clip '{clip_id}', listed at {entry.where}")
        about = about or Meta("", "")
        try:
            path = folder.find(clip_id)
        except HarnessError as error:
            problems.add(entry.where, str(error))
            continue
        clips[clip_id] = Clip(clip_id=clip_id, path=path, label=entry.label, group=about.group, domain=about.domain)
    return clips


dfew = Dfew()
