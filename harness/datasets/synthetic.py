"""Drawn faces in DFEW's layout, made on first use: the embedded data set."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.data.clip import Source
from harness.datasets._faces.cast import Size
from harness.datasets._options import read_options
from harness.datasets.dfew import dfew
from harness.errors import HarnessError, unknown
from harness.paths import synthetic_folder
from harness.spec.strict import Strict

VERSION = 1
"""Raised whenever the same seed would give other pixels."""

SIZES = {
    "tiny": Size(clips=400, side=64, identities=60),
    "small": Size(clips=1600, side=112, identities=120),
    "medium": Size(clips=6000, side=128, identities=240),
}
"""``tiny`` for a first run and tests, ``small`` for a study on a workstation, ``medium`` for a GPU."""


class SyntheticOptions(Strict):
    """What a study may say of the embedded set.

    Attributes:
        size: one of ``SIZES``.
        seed: of everything drawn.
        on_bad_clip: as for every reader; only damage after the drawing can make a clip bad.
    """

    size: str = "tiny"
    seed: int = Field(default=0, ge=0, strict=True)
    on_bad_clip: Literal["error", "drop"] = "error"


@dataclass(frozen=True)
class Synthetic:
    """The data set plugin. See ``docs/synthetic.md`` for what is drawn and what it is good for."""

    title: str = "Synthetic faces"
    paper: str = "none: drawn by dferbench from FACS action units, see docs/synthetic.md"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Read the set through DFEW's reader; without a root, draw it into the cache folder first if need be.

        Args:
            root: a folder made by ``synthesize``, or ``None`` for the cache folder.
            options: ``size`` ('tiny', 'small' or 'medium'; default 'tiny') and ``seed`` (default 0).

        Raises:
            HarnessError: for an unknown option or size, a seed that is not a whole number from 0 on, or a root whose
                lists do not fit its files.
        """
        chosen = _checked(options)
        folder = root or synthetic_folder(chosen.size, chosen.seed, VERSION)
        if root is None and not folder.is_dir():
            synthesize(folder, chosen.size, chosen.seed, None, os.cpu_count() or 1)
        return replace(dfew.open(folder, {"on_bad_clip": chosen.on_bad_clip}), name="synthetic")


def synthetic_home() -> Path:
    """Where sets are drawn that are given no folder; drawings that were interrupted lie there under hidden names."""
    return synthetic_folder("", 0, VERSION).parent


def synthesize(root: Path, size: str, seed: int, on_progress: Callable[[int, int], None] | None, workers: int) -> None:
    """Draw a set into a new folder, which appears only when it is complete.

    Args:
        root: the folder to make.
        size: 'tiny' (400 clips of 64 pixels), 'small' (1,600 of 112) or 'medium' (6,000 of 128).
        seed: of everything drawn; a set's bytes depend on size and seed, not on ``workers``.
        on_progress: called with the clips done and the clips in all.
        workers: processes to draw in. With more than one, a script must guard its own start with
            ``if __name__ == "__main__"``, because the processes are spawned.

    Raises:
        HarnessError: if the folder exists, or the size or seed is not one.
    """
    _checked({"size": size, "seed": seed})
    if root.exists():
        raise HarnessError(f"{root} exists already. Name a new folder, or delete it to draw the set again.")
    # Only drawing needs the encoder; a set that exists is opened without it.
    from harness.datasets._faces.generate import generate

    generate(root, SIZES[size], seed, on_progress, workers)


def _checked(options: dict[str, Any]) -> SyntheticOptions:
    """The options, or the error that names the mistake."""
    chosen = read_options(SyntheticOptions, "synthetic", options)
    if chosen.size not in SIZES:
        raise unknown("size of dataset synthetic", chosen.size, SIZES)
    return chosen


synthetic = Synthetic()
