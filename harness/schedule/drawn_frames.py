"""The frames that a study's trainings read, written down on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.data.split import carve
from harness.data.store import ClipStore
from harness.plan import training_of
from harness.schedule.bars import clip_bar
from harness.schedule.data_verbs import WORKERS
from harness.spec.load import find_study, load_study
from harness.train.batches import ClipReader
from harness.train.drawn_frames import drawn_frames, write_parts
from harness.train.preflight import open_dataset, pack_clips


def frames_shown(
    study: str, folds: Sequence[int], seeds: Sequence[int], epochs: int | None, folder: Path, console: Console
) -> list[Path]:
    """Write a table of drawn frames for every fold and seed; the files.

    Args:
        study: a file, or the name of a bundled study.
        folds: of the study's data set; the study's own if empty.
        seeds: any; the study's own if empty.
        epochs: to draw for; by default as many as the study's longest training has.
        folder: gets ``frames-fold<fold>-seed<seed>.parquet``.
        console: shows progress.

    Raises:
        HarnessError: for a study or a data set that cannot be opened, or clips that cannot be read.
    """
    spec = load_study(find_study(study))
    source = open_dataset(spec)
    with clip_bar(console, "packing clips") as advance:
        source, pack = pack_clips(spec, source, WORKERS, advance)
    reader = ClipReader(source=source, store=ClipStore.open(pack), clip=spec.clip)
    longest = epochs if epochs is not None else max(training_of(spec, name).epochs for name in spec.methods)
    files = []
    for number in folds or spec.folds:
        fold = carve(source, number, spec.validation)
        for seed in seeds or spec.seeds:
            files.append(folder / f"frames-fold{number}-seed{seed}.parquet")
            write_parts(drawn_frames(reader, fold, seed, spec.training.batch_size, longest), files[-1])
    return files
