"""DFEW: 16,372 film clips, 11,697 of them with a single label in five official folds (Jiang et al., ACM MM 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from harness.data.clip import Clip, KnownCounts, Source
from harness.data.votes import shares_of
from harness.datasets._clips import list_clips
from harness.datasets._dfew_lists import ID_DIGITS, find_lists, label_offset, read_list
from harness.datasets._dfew_votes import VOTES_FILE, agreement, read_votes
from harness.datasets._fold_lists import Entry, agreed, folds_of
from harness.datasets._lists import Problems
from harness.datasets._meta import Meta, read_meta
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, finish, source_of
from harness.datasets._roots import clip_folder_of, find_home
from harness.errors import HarnessError

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


KNOWN = KnownCounts(
    test={
        1: (489, 379, 534, 435, 294, 29, 181),
        2: (489, 379, 534, 435, 294, 29, 181),
        3: (489, 379, 534, 435, 294, 29, 180),
        4: (489, 379, 534, 434, 294, 29, 180),
        5: (489, 378, 533, 434, 293, 29, 180),
    },
    train={
        1: (1956, 1515, 2135, 1738, 1175, 116, 721),
        2: (1956, 1515, 2135, 1738, 1175, 116, 721),
        3: (1956, 1515, 2135, 1738, 1175, 116, 722),
        4: (1956, 1515, 2135, 1739, 1175, 116, 722),
        5: (1956, 1516, 2136, 1739, 1176, 116, 722),
    },
    shorter_than_16=14,
)
"""Counted from the five public lists, which agree; a training part is all 11,697 clips without the test part."""


class DfewOptions(ReaderOptions):
    """What a study may say of DFEW, beside what it may say of every data set.

    Attributes:
        clips: folder of clips to use, by name or path; by default the first of ``CLIP_FOLDERS`` that is there.
        lists: folder of the lists, relative to the root; by default it is searched for.
        label_offset: number of the first class in the lists (0 or 1); by default seen from the lists.
        domain: what heterogeneity is grouped by: the capture style of ``meta.csv``, or how many of the annotators in
            ``Annotation/annotation.xlsx`` agree on the most chosen class.
        votes: whether the annotators' votes come along, for training on soft labels; by default if the workbook is
            there.
    """

    clips: str | None = None
    lists: str | None = None
    label_offset: Literal[0, 1] | None = None
    domain: Literal["style", "agreement"] = "style"
    votes: bool | None = None


@dataclass(frozen=True)
class Dfew:
    """Reader of DFEW's own directory layout and of data sets laid out like it."""

    title: str = "DFEW"
    paper: str = "Jiang et al., DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions, ACM MM 2020"

    known: KnownCounts = KNOWN

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the five-fold lists and find every listed clip.

        Raises:
            HarnessError: for a missing root, an unknown option, or lists that do not fit the files; every row that
                does not fit is named with file and line.
        """
        chosen = read_options(DfewOptions, "dfew", options)
        home = find_home("dfew", root, lambda folder: bool(find_lists(folder, chosen.lists)))
        problems = Problems()
        lists = {file: read_list(file.path, problems) for file in find_lists(home, chosen.lists)}
        folds = folds_of(lists, problems)
        entries = [entry for entries in lists.values() for entry in entries]
        labelled = agreed(_counted_from_zero(entries, chosen.label_offset, problems), problems)
        clips = _clips(labelled, home, chosen.clips, problems)
        clips = _with_votes(clips, home, chosen, problems)
        return finish(source_of("dfew", home, CLASSES, clips, folds), chosen, problems)


def _counted_from_zero(entries: list[Entry], stated: int | None, problems: Problems) -> Iterator[Entry]:
    """The entries with their labels counted from 0; a label outside the seven classes is a problem."""
    if not entries:
        return
    try:
        offset = label_offset(entries, stated)
    except HarnessError as error:
        problems.found.append(str(error))
        return
    for entry in entries:
        if not 0 <= entry.label - offset < len(CLASSES):
            span = f"{offset} to {len(CLASSES) - 1 + offset}"
            problems.add(entry.where, f"clip '{entry.clip_id}' has label {entry.label}, outside {span}")
        yield entry._replace(label=entry.label - offset)


def _clips(labels: dict[str, Entry], home: Path, chosen: str | None, problems: Problems) -> list[Clip]:
    """Every listed clip with its file, group and domain."""
    if not labels:
        return []
    folder = list_clips(clip_folder_of(home, chosen, CLIP_FOLDERS))
    meta = read_meta(home / "meta.csv", ID_DIGITS, problems)
    clips = []
    for clip_id, entry in labels.items():
        about = meta.get(clip_id)
        if meta and about is None:
            problems.add(home / "meta.csv", f"no row for clip '{clip_id}', listed at {entry.where}")
        about = about or Meta("", "")
        try:
            path = folder.find(clip_id)
        except HarnessError as error:
            problems.bad[clip_id] = f"{entry.where}: {error}"
            continue
        clips.append(Clip(clip_id=clip_id, path=path, label=entry.label, group=about.group, domain=about.domain))
    return clips


def _with_votes(clips: list[Clip], home: Path, chosen: DfewOptions, problems: Problems) -> list[Clip]:
    """The clips with the annotators' votes, if they are wanted or there, and as domains if a study says so."""
    file = home / VOTES_FILE
    if not (chosen.votes or chosen.domain == "agreement" or (chosen.votes is None and file.is_file())):
        return clips
    try:
        votes = read_votes(file)
    except HarnessError as error:
        problems.found.append(f"{error} Without it: votes: false, domain: style.")
        return clips
    if chosen.domain == "agreement":
        clips = [replace(clip, domain=agreement(votes.get(clip.clip_id, ()))) for clip in clips]
    if chosen.votes is False:
        return clips
    return [
        replace(clip, label_distribution=shares_of(tuple(map(float, votes.get(clip.clip_id, ()))))) for clip in clips
    ]


dfew = Dfew()
