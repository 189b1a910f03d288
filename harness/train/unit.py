"""One unit of work, wherever it runs: train a trial unless that is done, then show it the conditions still missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from harness.data.clip import Fold
from harness.paths import UnitPaths
from harness.spec.trial import TrialSpec
from harness.tables import schema, store, temporary
from harness.tables.temporary import hidden_name
from harness.train.audit import Auditor
from harness.train.batches import ClipReader
from harness.train.fit import Fitted, Training, fit, fit_seed
from harness.train.isolation import isolated
from harness.train.predict import CLEAN_PASS, prediction_rows
from harness.train.provenance import device_name, git_commit, peak_memory_mb, versions
from harness.train.step import Diverged
from harness.train.stress import is_stressed, stress
from harness.train.task import OnEvent, Task, open_clips
from harness.train.weights import start_from

__all__ = ["OnEvent", "Task", "execute", "is_finished", "read_record", "sweep"]


def execute(task: Task, on_event: OnEvent) -> dict[str, Any]:
    """Bring a unit to its end and return its record; what is already on storage is not done again.

    Raises:
        HarnessError: if the data or a plugin cannot be used.
    """
    if not task.paths.record.exists():
        _train(task, torch.device(task.device), on_event)
    record = read_record(task.paths)
    if record["status"] == "done":
        stress(task, on_event)
    return record


def is_finished(task: Task) -> bool:
    """Whether nothing of a unit is left to do."""
    if not task.paths.record.exists():
        return False
    return read_record(task.paths)["status"] != "done" or is_stressed(task)


def read_record(paths: UnitPaths) -> dict[str, Any]:
    """What a finished training reported."""
    record: dict[str, Any] = json.loads(paths.record.read_text(encoding="utf-8"))
    return record


def _train(task: Task, device: torch.device, on_event: OnEvent) -> None:
    """Train and publish the trial's folder in one rename."""
    trial, paths = task.trial, task.paths
    started = perf_counter()
    reader, fold = open_clips(task)
    hidden = _hidden_folder(paths)
    record: dict[str, Any] = {"trial_id": trial.trial_id, "status": "done", "error": "", "selected_epoch": None}
    with isolated(fit_seed(trial), task.threads, device):
        try:
            training = Training(trial, replace(fold, test=()), reader, device)
            record["pretrained"] = start_from(training.model, trial, task.checkpoint)
            auditor = Auditor(reader, fold.test, device) if task.audit else None
            fitted = fit(training, lambda row: on_event({"kind": "epoch", **row}), auditor)
        except Diverged as error:
            record.update(status="diverged", error=str(error))
        else:
            record.update(_write_fit(hidden, trial, fold, reader, fitted))
            if auditor:
                auditor.write(trial.trial_id, hidden)
    record.update(
        seconds=perf_counter() - started,
        peak_memory_mb=peak_memory_mb(device),
        device=device_name(device),
        versions=versions(),
        git_commit=git_commit(),
        created_at=datetime.now(UTC).isoformat(),
    )
    store.write_text(json.dumps(trial.model_dump(mode="json"), indent=1), hidden.spec)
    store.write_text(json.dumps(record, indent=1), hidden.record)
    _publish(hidden, paths)


def _write_fit(hidden: UnitPaths, trial: TrialSpec, fold: Fold, reader: ClipReader, fitted: Fitted) -> dict[str, Any]:
    """Write what a training leaves behind, and return what its record says of it."""
    torch.save(fitted.model.state_dict(), hidden.checkpoint)
    store.write(fitted.epochs, schema.EPOCHS, hidden.epochs)
    source = reader.source
    rows = prediction_rows(trial.trial_id, "val", source, fold.val, CLEAN_PASS, fitted.val_logits[None])
    store.write(rows, schema.predictions(len(source.classes)), hidden.predictions("val"))
    chosen = fitted.epochs[fitted.epochs["epoch"] == fitted.selected_epoch].iloc[0]
    return {
        "selected_epoch": fitted.selected_epoch,
        "val_war": float(chosen["val_war"]),
        "val_uar": float(chosen["val_uar"]),
        "parameters": sum(parameter.numel() for parameter in fitted.model.parameters()),
    }


def _hidden_folder(paths: UnitPaths) -> UnitPaths:
    """A folder of this process's own beside the final one; its name says whose it is."""
    folder = paths.folder.with_name(hidden_name(paths.folder.name))
    folder.mkdir(parents=True)
    return UnitPaths(folder)


def _publish(hidden: UnitPaths, paths: UnitPaths) -> None:
    """Rename into place; if another worker was first, its equal result stays and ours is dropped."""
    try:
        hidden.folder.rename(paths.folder)
    except OSError:
        if not paths.record.exists():
            raise
        shutil.rmtree(hidden.folder)


def sweep(units: Path) -> int:
    """Delete half-written folders that dead processes of this host left behind; how many."""
    return temporary.sweep(units)
