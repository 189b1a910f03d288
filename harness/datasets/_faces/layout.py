"""DFEW's directory layout: where clips and lists lie, and what the lists say."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.datasets._faces.cast import NUM_FOLDS, Role
from harness.datasets._faces.expressions import CLASSES

META_COLUMNS = (
    "clip_id",
    "label",
    "expression",
    "identity",
    "style",
    "fold",
    "num_frames",
    "onset_frame",
    "apex_frame",
    "offset_frame",
    "end_frame",
    "peak_intensity",
    "blend",
    "blend_intensity",
    "speaking",
    "seed",
)


def clip_path(root: Path, role: Role) -> Path:
    """The video of a clip. DFEW's folder is named 224x224 whatever is in it (its own frames are 256 pixels wide)."""
    return root / "Clip" / "clip_224x224_mp4" / f"{role.clip_id}.mp4"


def write_lists(root: Path, cast: Sequence[Role]) -> None:
    """The five folds' lists, as DFEW distributes them, and ``meta.csv`` with all that is known of every clip."""
    for fold in range(1, NUM_FOLDS + 1):
        for split in ("train", "test"):
            rows = [(role.number, _label(role)) for role in cast if (role.fold == fold) == (split == "test")]
            path = root / "EmoLabel_DataSplit" / f"{split}(single-labeled)" / f"set_{fold}.csv"
            _write_csv(path, ("video_name", "label"), rows)
    _write_csv(root / "meta.csv", META_COLUMNS, (_meta(role) for role in cast))


def _label(role: Role) -> int:
    """DFEW's label, counted from 1."""
    return CLASSES.index(role.expression) + 1


def _meta(role: Role) -> tuple[object, ...]:
    """One row of ``meta.csv``; Neutral has no phases."""
    phases = role.phases if role.peak else ("",) * 4
    return (
        role.clip_id,
        _label(role),
        role.expression,
        role.identity,
        role.style,
        role.fold,
        role.num_frames,
        *phases,
        role.peak,
        role.blend,
        role.blend_peak,
        int(role.speaking),
        role.seed,
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A csv file with unix line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8")
