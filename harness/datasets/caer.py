"""CAER: 13,201 clips from 79 television shows with one official split (Lee et al., ICCV 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.data.clip import Clip, OfficialFold, Source
from harness.datasets._clips import list_clips
from harness.datasets._lists import Problems
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, class_label, finish, source_of
from harness.datasets._roots import find_home
from harness.errors import HarnessError

CLASSES = ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
SPLITS = ("train", "validation", "test")


class CaerOptions(ReaderOptions):
    """What a study may say of CAER, beside what it may say of every data set.

    Attributes:
        validation: what becomes of the official validation part. A validation split is always carved out of the
            training fold, so by default the official one joins it; ``leave_out`` trains on the training part alone.
    """

    validation: Literal["train", "leave_out"] = "train"


@dataclass(frozen=True)
class Caer:
    """Reader of ``train/Anger/0001.avi``; a clip's id is this path without the ending, since numbers repeat."""

    title: str = "CAER"
    paper: str = "Lee et al., Context-Aware Emotion Recognition Networks, ICCV 2019"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Find every clip; its label and split are its folders.

        Raises:
            HarnessError: for a missing root, an unknown option, or a class folder of another name.
        """
        chosen = read_options(CaerOptions, "caer", options)
        home = find_home("caer", root, lambda folder: (folder / "train").is_dir() and (folder / "test").is_dir())
        problems = Problems()
        kept = [split for split in SPLITS if split != "validation" or chosen.validation == "train"]
        clips = [clip for split in kept if (home / split).is_dir() for clip in _clips(home, split, problems)]
        test = [clip.clip_id for clip in clips if clip.clip_id.startswith("test/")]
        train = [clip.clip_id for clip in clips if not clip.clip_id.startswith("test/")]
        fold = OfficialFold(tuple(train), tuple(test))
        return finish(source_of("caer", home, CLASSES, clips, {1: fold}), chosen, problems)


def _clips(home: Path, split: str, problems: Problems) -> list[Clip]:
    """The clips of one split."""
    clips = []
    for folder in sorted(path for path in (home / split).iterdir() if path.is_dir()):
        try:
            label = class_label(folder.name, CLASSES)
        except HarnessError as error:
            problems.add(folder, str(error))
            continue
        listed = list_clips(folder)
        for name in sorted(listed.entries):
            clip_id = f"{split}/{folder.name}/{name}"
            path = folder / listed.entries[name][0]
            try:
                path = listed.find(name)
            except HarnessError as error:
                problems.bad[clip_id] = str(error)
            clips.append(Clip(clip_id=clip_id, path=path, label=label))
    return clips


caer = Caer()
