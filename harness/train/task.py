"""What a worker is sent, and the clips that it opens for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.data.clip import Fold
from harness.data.split import carve
from harness.data.store import ClipStore
from harness.paths import UnitPaths
from harness.spec.strict import Strict
from harness.spec.trial import Condition, TrialSpec
from harness.train.batches import ClipReader
from harness.train.manifest import read_manifest

OnEvent = Callable[[Mapping[str, Any]], None]


class Task(Strict):
    """A trial, what is wanted of it beside its training, and where things lie.

    Attributes:
        trial: what is trained.
        conditions: what the test clips are shown under; none in a search.
        repeats: random draws of each condition.
        audit: measure clean test clips after every epoch, for the report alone.
        features: store the pooled features of the clean test clips.
        val_conditions: what the validation clips are shown under, for a search that asks for robustness.
        stop_after: train up to this epoch for now and keep what is needed to go on; ``None`` trains to the end.
        units: folder of all trials.
        manifest: what the data set consists of.
        pack: folder of the packed clips.
        checkpoint: file of the published weights that the trial starts from, if it does.
        threads: of this unit.
        device: ``cpu`` or ``cuda``.
        memory_fraction: share of the GPU's memory that this unit may use, where units share one.
    """

    trial: TrialSpec
    conditions: tuple[Condition, ...] = ()
    repeats: int = 1
    audit: bool = False
    features: bool = False
    val_conditions: tuple[Condition, ...] = ()
    stop_after: int | None = Field(default=None, ge=1)
    units: str
    manifest: str
    pack: str
    checkpoint: str | None = None
    threads: int = 1
    device: str = "cpu"
    memory_fraction: float | None = Field(default=None, gt=0, le=1)

    @property
    def paths(self) -> UnitPaths:
        """The trial's folder."""
        return UnitPaths(Path(self.units) / self.trial.trial_id)

    @property
    def last_epoch(self) -> int:
        """Where this task's training ends for now."""
        epochs = self.trial.training.epochs
        return epochs if self.stop_after is None else min(self.stop_after, epochs)


def open_clips(task: Task) -> tuple[ClipReader, Fold]:
    """The unit's clips and its fold with the validation split carved."""
    stamp = Path(task.manifest).stat().st_mtime_ns
    source, clips = _opened(task.manifest, task.pack, stamp)
    reader = ClipReader(source=source, store=clips, clip=task.trial.clip)
    return reader, carve(source, task.trial.fold, task.trial.validation)


@lru_cache(maxsize=2)
def _opened(manifest: str, pack: str, _stamp: int) -> tuple[Any, ClipStore]:
    """Manifest and clip store, opened once per worker process."""
    return read_manifest(Path(manifest)), ClipStore.open(Path(pack))
