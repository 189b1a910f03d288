"""A trained network on test clips: its logits under every condition, fingerprints of what it saw, its features."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from harness.data.clip import Fold
from harness.errors import HarnessError
from harness.paths import UnitPaths
from harness.seeds import derive, digest
from harness.spec.trial import CLEAN
from harness.tables import schema, store
from harness.train.batches import ClipReader
from harness.train.build import build_model
from harness.train.fingerprint import Fingerprints
from harness.train.isolation import isolated
from harness.train.predict import EVALUATION_BATCH, Pass, evaluate, passes, pooled_features, prediction_rows
from harness.train.quarantine import put_aside
from harness.train.task import OnEvent, Task, open_clips
from perturbations._apply import SUITE_VERSION


class Split(NamedTuple):
    """Clips to be shown under conditions, and where what the network says of them is kept.

    Attributes:
        name: ``test`` or ``val``.
        missing: passes that no predictions of this suite version hold yet.
    """

    name: Literal["test", "val"]
    missing: list[Pass]


def is_stressed(task: Task) -> bool:
    """Whether a trained unit has everything that its task asks of validation and test clips."""
    return not (_lacks_features(task) or missing_passes(task, "test") or missing_passes(task, "val"))


def stress(task: Task, on_event: OnEvent) -> None:
    """Do whatever of the task's evaluations storage does not hold yet; the training is not touched."""
    splits = [Split(name, missing_passes(task, name)) for name in ("val", "test")]
    splits = [split for split in splits if split.missing]
    lacks_features = _lacks_features(task)
    if not splits and not lacks_features:
        return
    device = torch.device(task.device)
    reader, fold = open_clips(task)
    with isolated(derive(task.trial.seed, "stress"), task.threads, device):
        model = _trained(task, reader, device)
        for split in splits:
            _show(task, model, (reader, fold), split, on_event)
        if lacks_features:
            _store_features(task, model, reader, fold)


def missing_passes(task: Task, split: Literal["test", "val"]) -> list[Pass]:
    """The conditions and repeats that no predictions of this suite version hold yet.

    The training itself leaves the predictions of clean validation clips.
    """
    paths = task.paths
    if split == "test":
        wanted = passes(task.conditions, task.repeats)
        whole, parts = paths.test_predictions_file(SUITE_VERSION, _name(wanted)), paths.test_predictions
    else:
        perturbed = (condition for condition in task.val_conditions if condition.perturbation != CLEAN)
        wanted = passes(perturbed, task.repeats)
        whole, parts = paths.val_predictions_file(SUITE_VERSION, _name(wanted)), paths.val_predictions
    if not wanted or whole.exists():
        return []
    seen = set[tuple[str, float, int]]().union(*(_held(paths, path) for path in parts(SUITE_VERSION)))
    return [
        one
        for one in wanted
        if (one.condition.perturbation, float(np.float32(one.condition.severity)), one.repeat) not in seen
    ]


def _held(paths: UnitPaths, file: Path) -> set[tuple[str, float, int]]:
    """The passes in a predictions file; none in one that is damaged, which is put aside."""
    columns = ["perturbation", "severity", "repeat"]
    try:
        frame = store.read_columns(file, columns).drop_duplicates()
    except HarnessError as error:
        put_aside(paths, str(error), file)
        return set()
    return set(zip(*(frame[name].to_list() for name in columns), strict=True))


def _lacks_features(task: Task) -> bool:
    return task.features and not task.paths.features.exists()


def _name(shown: list[Pass]) -> str:
    """A file's name says which passes are in it."""
    return digest([[one.condition.label, one.repeat] for one in shown], 12)


def _trained(task: Task, reader: ClipReader, device: torch.device) -> nn.Module:
    """The network with the weights of the selected epoch."""
    model = build_model(task.trial.recipe.model, len(reader.source.classes), task.trial.clip)
    model.load_state_dict(torch.load(task.paths.checkpoint, map_location="cpu", weights_only=True))
    return model.to(device)


def _show(task: Task, model: nn.Module, clips: tuple[ClipReader, Fold], split: Split, on_event: OnEvent) -> None:
    """Show the clips of a split under its missing conditions and write one predictions file for this pass.

    Test predictions are written last: where they are, their fingerprints are.
    """
    reader, fold = clips
    clip_ids = fold.test if split.name == "test" else fold.val
    fingerprints = Fingerprints(clip_ids)
    progress = {"kind": "stress", "conditions": len(split.missing)}
    logits = evaluate(
        model,
        reader,
        clip_ids,
        split.missing,
        EVALUATION_BATCH,
        torch.device(task.device),
        lambda done, total: on_event({**progress, "clips": done, "total": total}),
        fingerprints.look,
    )
    paths, name = task.paths, _name(split.missing)
    rows = prediction_rows(task.trial.trial_id, split.name, reader.source, clip_ids, split.missing, logits)
    table = schema.predictions(len(reader.source.classes))
    if split.name == "val":
        store.write(rows, table, paths.val_predictions_file(SUITE_VERSION, name))
        return
    store.write(fingerprints.rows(), schema.FINGERPRINTS, paths.fingerprints_file(SUITE_VERSION, name))
    store.write(rows, table, paths.test_predictions_file(SUITE_VERSION, name))


def _store_features(task: Task, model: nn.Module, reader: ClipReader, fold: Fold) -> None:
    """Write the pooled features of the clean test clips."""
    found = pooled_features(model, reader, fold.test, EVALUATION_BATCH, torch.device(task.device))
    rows = pd.DataFrame({"trial_id": task.trial.trial_id, "clip_id": list(fold.test), "features": list(found)})
    store.write(rows, schema.features(found.shape[1]), task.paths.features)
