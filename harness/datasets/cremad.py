"""CREMA-D: 7,442 clips of 91 actors speaking twelve sentences in six emotions (Cao et al., IEEE TAC 2014)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.clip import Clip, Source
from harness.data.folds import group_blocks
from harness.datasets._lists import Problems
from harness.datasets._named import named_clips
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, finish, source_of
from harness.datasets._roots import check_root

EMOTIONS = {"ANG": "Angry", "DIS": "Disgust", "FEA": "Fear", "HAP": "Happy", "NEU": "Neutral", "SAD": "Sad"}
NAME = re.compile(r"(?P<actor>[0-9]{4})_[A-Z]{3}_(?P<emotion>[A-Z]{3})_(?P<level>LO|MD|HI|XX|X)")
"""Actor, sentence, emotion, and level of intensity: ``1001_DFA_ANG_XX``."""

NUM_FOLDS = 5
"""MAE-DFER's protocol: five folds of 18 or 19 actors each (Sun et al., ACM MM 2023)."""


@dataclass(frozen=True)
class CremaD:
    """Reader of ``VideoFlash/*.flv`` or of faces extracted under the same names.

    The actor is a clip's group, the level of intensity its domain. The data set publishes no folds; the actors in
    order of their numbers are cut into five blocks.
    """

    title: str = "CREMA-D"
    paper: str = "Cao et al., CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset, IEEE TAC 5(4), 2014"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Find every clip; its label stands in its name.

        Raises:
            HarnessError: for a missing root, an unknown option, no clips, or clips that are Git LFS pointers (the
                GitHub mirror is over its budget and gives those) or empty.
        """
        chosen = read_options(ReaderOptions, "cremad", options)
        problems = Problems()
        clips = list(named_clips("cremad", root, _decode, 2, problems))
        folds = group_blocks(clips, NUM_FOLDS) if chosen.folds == "official" else {}
        source = source_of("cremad", check_root("cremad", root), tuple(EMOTIONS.values()), clips, folds)
        return finish(source, chosen, problems)


def _decode(name: str, path: Path) -> Clip | None:
    """A clip from its name."""
    match = NAME.fullmatch(name)
    if match is None or match["emotion"] not in EMOTIONS:
        return None
    label = list(EMOTIONS).index(match["emotion"])
    return Clip(clip_id=name, path=path, label=label, group=match["actor"], domain=match["level"])


cremad = CremaD()
