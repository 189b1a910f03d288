"""A clip and a data set, as every reader gives them and everything else takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from harness.data.files import count_frame_files
from harness.errors import HarnessError, near_miss
from harness.seeds import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One labelled video.

    Attributes:
        clip_id: unique within the data set; part of every prediction's key and of every perturbation's key.
        path: a video file, or a folder of frames in natural order.
        label: index into the data set's classes.
        group: what may not straddle a training and a validation split (identity, movie, scene); empty if unknown.
        domain: what heterogeneity is grouped by (capture style, scene); empty if unknown.
        label_distribution: shares of the annotators' votes in the order of the classes, summing to 1; empty if unknown.
            Training may use them (``training.soft_labels``); clips are tested by their label.
    """

    clip_id: str
    path: Path
    label: int
    group: str = ""
    domain: str = ""
    label_distribution: tuple[float, ...] = ()


class OfficialFold(NamedTuple):
    """The clip ids that a data set's own lists put in training and in test."""

    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Disjoint clip ids to train on, to select on and to test on.

    Raises:
        HarnessError: if two splits share a clip; the clip is named.
    """

    index: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
            shared = set(getattr(self, one)) & set(getattr(self, other))
            if shared:
                raise HarnessError(f"Fold {self.index}: clip '{min(shared)}' is in both {one} and {other}.")


@dataclass(frozen=True, kw_only=True)
class Source:
    """An opened data set: what its lists say, before any video is decoded.

    Attributes:
        name: the data set plugin's name.
        root: the folder it was read from.
        classes: class names in label order.
        clips: by clip id.
        folds: official folds by their published number (DFEW counts from 1).
        excluded: clips left out on request (``on_bad_clip: drop``), with the reason.
        code: what tells the source of a reader that dferbench was not released with; empty for others.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    clips: dict[str, Clip]
    folds: dict[int, OfficialFold]
    excluded: dict[str, str]
    code: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """Hash of ids, labels, groups, file sizes, folds and foreign code: what a trial knows of the data."""
        clips = [[c.clip_id, c.label, c.group, c.domain, _size(c.path)] for c in self.clips.values()]
        folds = {str(index): [sorted(fold.train), sorted(fold.test)] for index, fold in self.folds.items()}
        reader = {"code": self.code} if self.code else {}
        return digest({"classes": self.classes, "clips": sorted(clips), "folds": folds, **reader})

    def identity(self, *, soft_labels: bool) -> str:
        """What a training knows of the data: the fingerprint, and the annotators' votes where it is trained on them."""
        if not soft_labels:
            return self.fingerprint
        votes = sorted((clip.clip_id, clip.label_distribution) for clip in self.clips.values())
        return digest({"fingerprint": self.fingerprint, "label_distributions": votes})

    def fold(self, index: int) -> OfficialFold:
        """An official fold by number.

        Raises:
            HarnessError: if there is no such fold; the known ones are named.
        """
        if index not in self.folds:
            raise HarnessError(f"{self.name} has no fold {index}. {near_miss(str(index), map(str, self.folds))}")
        return self.folds[index]

    def without(self, reasons: dict[str, str]) -> Source:
        """The same data set without some clips, which stay listed in ``excluded`` with their reasons."""
        folds = {
            index: OfficialFold(*(tuple(c for c in split if c not in reasons) for split in fold))
            for index, fold in self.folds.items()
        }
        clips = {clip_id: clip for clip_id, clip in self.clips.items() if clip_id not in reasons}
        return replace(self, clips=clips, folds=folds, excluded={**self.excluded, **reasons})


class KnownCounts(NamedTuple):
    """What has been counted in a data set's public lists: clips per class (in label order) of each fold's two parts.

    Attributes:
        test: by fold.
        train: by fold.
        shorter_than_16: clips with fewer than 16 frames, if known.
    """

    test: dict[int, tuple[int, ...]]
    train: dict[int, tuple[int, ...]]
    shorter_than_16: int | None = None


class EmptyClassError(HarnessError):
    """A class without a clip.

    Attributes:
        present: the classes that have clips.
    """

    def __init__(self, message: str, present: tuple[str, ...]) -> None:
        self.present = present
        super().__init__(message)


@runtime_checkable
class Dataset(Protocol):
    """What ``harness/datasets/<name>.py`` exports under its own name.

    A data set whose lists are public knowledge also has ``known``, its :class:`KnownCounts`.
    """

    title: str
    paper: str

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the lists under ``root`` (``None``: where the data set itself keeps its files).

        Raises:
            HarnessError: for a missing root, an unknown option, or lists that do not fit the files.
        """
        ...


def _size(path: Path) -> int:
    """Bytes of a video file, or number of frames in a frame folder."""
    return count_frame_files(path) if path.is_dir() else path.stat().st_size
