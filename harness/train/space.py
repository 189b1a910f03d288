"""Whether a study's results will find room: estimated before the first training, from the sizes of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from harness.data.clip import Fold, Source
from harness.data.split import carve
from harness.errors import StorageError
from harness.plan import counts
from harness.spec.study import StudySpec
from harness.tables.storage import check_writable, free_bytes

FILE_BYTES = 6_000
"""What a small parquet file takes beside its rows (measured)."""
SEARCH_FILES, CONFIRM_FILES, AUDIT_FILES = 4, 6, 3
"""Small files of a trial: record, specification, epochs, predictions; tested, with fingerprints; of its audit."""
LOGIT_BYTES = 4
"""A stored logit; ids and labels of a row compress to almost nothing (measured: 26 to 28 bytes for 7 classes)."""
STATE_COPIES = 12
"""Weights in the state of an unfinished training: its own, the best epochs' by validation and by the audit, two moments
and SAM's copies; twice, because a new state is written before the old one goes."""


class TrialBytes(NamedTuple):
    """What a trial leaves on storage, by phase."""

    search: float
    confirm: float


def trial_bytes(study: StudySpec, fold: Fold, num_classes: int, weight_bytes: int) -> TrialBytes:
    """An estimate, rather too high, for one trial of a method whose weights have a size.

    The selection audit keeps the weights of up to two more epochs, and their predictions.
    """
    row = LOGIT_BYTES * num_classes
    search = weight_bytes + SEARCH_FILES * FILE_BYTES + len(fold.val) * row
    shown = len(fold.test) * len(study.stress.conditions) * study.stress.repeats * row
    confirm = search + (CONFIRM_FILES - SEARCH_FILES) * FILE_BYTES + shown
    if study.stress.audit:
        confirm += 2 * (weight_bytes + len(fold.val) * row + shown) + AUDIT_FILES * FILE_BYTES
    return TrialBytes(search, confirm)


def study_bytes(study: StudySpec, source: Source, weight_bytes: Mapping[str, int]) -> float:
    """An estimate for all trials of a study, and for the state of one that is unfinished."""
    fold = carve(source, study.folds[0], study.validation)
    total = float(STATE_COPIES * max(weight_bytes.values()))
    for method, count in counts(study).items():
        each = trial_bytes(study, fold, len(source.classes), weight_bytes[method])
        total += count.search * each.search + count.confirm * each.confirm
    return total


def check_space(study: StudySpec, source: Source, weight_bytes: Mapping[str, int], units: Path) -> None:
    """See that results can be written and will find room, counting what the folder already holds as done.

    Raises:
        StorageError: what is lacking, and what to do.
    """
    check_writable(units)
    wanted, free = study_bytes(study, source, weight_bytes), free_bytes(units)
    if wanted <= free:
        return
    held = sum(path.stat().st_size for path in units.rglob("*") if path.is_file())
    if wanted - held <= free:
        return
    raise StorageError(
        f"{units}: the study's results need about {(wanted - held) / 1e9:.1f} GB more, and {free / 1e9:.1f} GB are "
        "free. Make room there, use --out for another folder, or ask for fewer trials or conditions."
    )
