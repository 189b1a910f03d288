"""A unit of work small enough to be trained many times in one test: 36 clips that move or stand still."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tiny_clips import textured_frames, write_frames

from harness.data.clip import Clip, OfficialFold, Source
from harness.data.store import pack
from harness.paths import pack_folder
from harness.spec.trial import TrialSpec
from harness.tables import schema, store
from harness.train.manifest import write_manifest
from harness.train.task import Task

FRAMES, SIZE = 4, 32
X3D: dict[str, Any] = {"name": "x3d", "width": 0.5, "depth": 0.2, "head_width": 16}
"""Batch normalisation keeps running statistics and dropout draws masks: both must survive what a unit goes through."""
RECIPE: dict[str, Any] = {"model": X3D, "optimizer": {"learning_rate": 0.01}}
TRAINING: dict[str, Any] = {"epochs": 4, "batch_size": 8, "warmup_epochs": 0}
OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 2.00 GiB."
"""What torch says first."""


def make_clips(folder: Path) -> Source:
    """Thirty-six frame folders of two classes and two domains, the last twelve for testing; packed."""
    clips = {}
    for number in range(36):
        frames = textured_frames(6, size=SIZE, seed=number)
        label = number % 2
        shown = frames if label else np.repeat(frames[:1], len(frames), axis=0)
        path = write_frames(folder / f"{number:03d}", shown)
        clips[path.name] = Clip(clip_id=path.name, path=path, label=label, group="", domain=str(number % 3 % 2))
    ids = tuple(clips)
    folds = {1: OfficialFold(ids[:24], ids[24:])}
    source = Source(name="made", root=folder, classes=("still", "moving"), clips=clips, folds=folds, excluded={})
    pack(source, SIZE, 12, workers=1)
    write_manifest(source, folder / "manifest.json")
    return source


def make_task(source: Source, out: Path, recipe: dict[str, Any] | None = None, **changes: Any) -> Task:
    """A task on these clips; ``training`` and ``seed`` change the trial, everything else the task."""
    trial = TrialSpec.model_validate(
        {
            "dataset": {"name": "made", "fingerprint": source.fingerprint},
            "fold": 1,
            "seed": changes.pop("seed", 0),
            "clip": {"frames": FRAMES, "size": SIZE, "max_stored_frames": 12},
            "validation": {},
            "training": {**TRAINING, **changes.pop("training", {})},
            "recipe": {**RECIPE, **(recipe or {})},
        }
    )
    return Task(
        trial=trial,
        units=str(out / "units"),
        manifest=str(source.root / "manifest.json"),
        pack=str(pack_folder(source.fingerprint, SIZE, 12)),
        **changes,
    )


def ignore(event: Mapping[str, Any]) -> None:
    """Nobody watches."""


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def weights(task: Task) -> dict[str, torch.Tensor]:
    """The selected epoch's."""
    return torch.load(task.paths.checkpoint, weights_only=True)


def contents_but_seconds(task: Task) -> dict[str, object]:
    """Every table of a unit, byte for byte, but for how long its epochs took."""
    files = {path.name: path.read_bytes() for path in task.paths.folder.glob("*.parquet") if path != task.paths.epochs}
    epochs = store.read(task.paths.epochs, schema.EPOCHS).drop(columns="seconds")
    return {**files, "epochs": epochs.to_csv()}
