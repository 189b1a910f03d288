"""RAVDESS: 24 actors speaking and singing two sentences in eight emotions (Livingstone and Russo, PLoS ONE 2018)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from harness.data.clip import Clip, Source
from harness.data.folds import group_blocks
from harness.datasets._lists import Problems
from harness.datasets._named import named_clips
from harness.datasets._options import read_options
from harness.datasets._reading import ReaderOptions, finish, source_of
from harness.datasets._roots import check_root

CLASSES = ("Neutral", "Calm", "Happy", "Sad", "Angry", "Fearful", "Disgust", "Surprised")
CHANNELS = {"speech": "01", "song": "02"}
INTENSITIES = {"01": "normal", "02": "strong"}

NAME = re.compile(
    r"(?P<modality>0[1-3])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])-0[12]-0[12]-(?P<actor>[0-9]{2})"
)
"""Modality, vocal channel, emotion, intensity, statement, repetition, actor: ``02-01-03-01-01-02-24``."""

NUM_FOLDS = 6
"""MAE-DFER's protocol: six folds of four actors each, 1 to 4, 5 to 8, ... (Sun et al., ACM MM 2023)."""


class RavdessOptions(ReaderOptions):
    """What a study may say of RAVDESS, beside what it may say of every data set.

    Attributes:
        channel: spoken clips (1,440) or sung ones (six emotions, so name them by ``classes``).
        modality: ``02``, video without sound, or ``01``, the same recordings with sound: never both, they are
            duplicates of each other.
    """

    channel: Literal["speech", "song"] = "speech"
    modality: Literal["01", "02"] = "02"


@dataclass(frozen=True)
class Ravdess:
    """Reader of ``Actor_01/02-01-03-01-01-01-01.mp4``, or of faces extracted under the same names.

    The actor is a clip's group, the intensity its domain.
    """

    title: str = "RAVDESS"
    paper: str = "Livingstone and Russo, The Ryerson Audio-Visual Database of Emotional Speech and Song, PLoS ONE 2018"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Find every clip of the chosen channel and modality; its label stands in its name.

        Raises:
            HarnessError: for a missing root, an unknown option, or no such clips.
        """
        chosen = read_options(RavdessOptions, "ravdess", options)
        problems = Problems()
        decode = partial(_decode, channel=CHANNELS[chosen.channel], modality=chosen.modality)
        clips = list(named_clips("ravdess", root, decode, 3, problems))
        folds = group_blocks(clips, NUM_FOLDS) if chosen.folds == "official" else {}
        source = source_of("ravdess", check_root("ravdess", root), CLASSES, clips, folds)
        return finish(source, chosen, problems)


def _decode(name: str, path: Path, channel: str, modality: str) -> Clip | None:
    """A clip from its name; ``None`` for another channel or modality."""
    match = NAME.fullmatch(name)
    if match is None or match["channel"] != channel or match["modality"] != modality:
        return None
    return Clip(
        clip_id=name,
        path=path,
        label=int(match["emotion"]) - 1,
        group=f"Actor_{match['actor']}",
        domain=INTENSITIES[match["intensity"]],
    )


ravdess = Ravdess()
