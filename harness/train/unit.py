"""One unit of work, wherever it runs: train a trial unless that is done, then show it the conditions still missing."""

from __future__ import annotations

import json
import os
import shutil
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from harness.data.clip import Fold
from harness.data.split import carve
from harness.data.store import ClipStore
from harness.paths import UnitPaths
from harness.seeds import derive, digest
from harness.spec.strict import Strict
from harness.spec.trial import Condition, TrialSpec
from harness.tables import schema, store
from harness.train.batches import ClipReader
from harness.train.build import build_model
from harness.train.fit import CLEAN_PASS, EVALUATION_BATCH, Fitted, Training, fit, fit_seed
from harness.train.isolation import isolated
from harness.train.manifest import read_manifest
from harness.train.predict import Pass, evaluate, passes, prediction_rows
from harness.train.provenance import device_name, git_commit, peak_memory_mb, versions
from harness.train.step import Diverged
from harness.train.weights import start_from
from perturbations._apply import SUITE_VERSION

OnEvent = Callable[[Mapping[str, Any]], None]


class Task(Strict):
    """What a worker is sent: a trial, the conditions to test it under (none in a search), and where things lie."""

    trial: TrialSpec
    conditions: tuple[Condition, ...] = ()
    repeats: int = 1
    units: str
    manifest: str
    pack: str
    checkpoint: str | None = None
    threads: int = 1
    device: str = "cpu"

    @property
    def paths(self) -> UnitPaths:
        """The trial's folder."""
        return UnitPaths(Path(self.units) / self.trial.trial_id)


def execute(task: Task, on_event: OnEvent) -> dict[str, Any]:
    """Bring a unit to its end and return its record; what is already on storage is not done again.

    Raises:
        HarnessError: if the data or a plugin cannot be used.
    """
    device = torch.device(task.device)
    if not task.paths.record.exists():
        _train(task, device, on_event)
    record = read_record(task.paths)
    missing = missing_passes(task) if record["status"] == "done" else []
    if missing:
        _stress(task, missing, device, on_event)
    return record


def is_finished(task: Task) -> bool:
    """Whether nothing of a unit is left to do."""
    if not task.paths.record.exists():
        return False
    return read_record(task.paths)["status"] != "done" or not missing_passes(task)


def read_record(paths: UnitPaths) -> dict[str, Any]:
    """What a finished training reported."""
    record: dict[str, Any] = json.loads(paths.record.read_text(encoding="utf-8"))
    return record


def missing_passes(task: Task) -> list[Pass]:
    """The conditions and repeats that no predictions of this suite version hold yet."""
    columns = ["perturbation", "severity", "repeat"]
    seen: set[tuple[str, float, int]] = set()
    for path in task.paths.test_predictions(SUITE_VERSION):
        frame = store.read_columns(path, columns).drop_duplicates()
        seen.update(zip(*(frame[name].to_list() for name in columns), strict=True))
    return [
        one
        for one in passes(task.conditions, task.repeats)
        if (one.condition.perturbation, float(one.condition.severity), one.repeat) not in seen
    ]


def _train(task: Task, device: torch.device, on_event: OnEvent) -> None:
    """Train and publish the trial's folder in one rename."""
    trial, paths = task.trial, task.paths
    started = perf_counter()
    reader, fold = _open(task)
    hidden = _hidden_folder(paths)
    record: dict[str, Any] = {"trial_id": trial.trial_id, "status": "done", "error": "", "selected_epoch": None}
    with isolated(fit_seed(trial), task.threads, device):
        try:
            training = Training(trial, replace(fold, test=()), reader, device)
            record["pretrained"] = start_from(training.model, trial, task.checkpoint)
            fitted = fit(training, lambda row: on_event({"kind": "epoch", **row}))
        except Diverged as error:
            record.update(status="diverged", error=str(error))
        else:
            record.update(_write_fit(hidden, trial, fold, reader, fitted))
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


def _stress(task: Task, missing: list[Pass], device: torch.device, on_event: OnEvent) -> None:
    """Show the test clips under the missing conditions and write one predictions file for this pass."""
    trial, paths = task.trial, task.paths
    reader, fold = _open(task)
    with isolated(derive(trial.seed, "stress"), task.threads, device):
        model = build_model(trial.recipe.model, len(reader.source.classes), trial.clip)
        model.load_state_dict(torch.load(paths.checkpoint, map_location="cpu", weights_only=True))
        model.to(device)
        progress = {"kind": "stress", "conditions": len(missing)}
        logits = evaluate(
            model,
            reader,
            fold.test,
            missing,
            EVALUATION_BATCH,
            device,
            lambda done, total: on_event({**progress, "clips": done, "total": total}),
        )
    rows = prediction_rows(trial.trial_id, "test", reader.source, fold.test, missing, logits)
    name = digest([[one.condition.label, one.repeat] for one in missing], 12)
    table = schema.predictions(len(reader.source.classes))
    store.write(rows, table, paths.test_predictions_file(SUITE_VERSION, name))


@lru_cache(maxsize=2)
def _reader_parts(manifest: str, pack: str, _stamp: int) -> tuple[Any, ClipStore]:
    """Manifest and clip store, opened once per worker process."""
    return read_manifest(Path(manifest)), ClipStore.open(Path(pack))


def _open(task: Task) -> tuple[ClipReader, Fold]:
    """The unit's clips and its fold with the validation split carved."""
    stamp = Path(task.manifest).stat().st_mtime_ns
    source, clips = _reader_parts(task.manifest, task.pack, stamp)
    reader = ClipReader(source=source, store=clips, clip=task.trial.clip)
    return reader, carve(source, task.trial.fold, task.trial.validation)


def _hidden_folder(paths: UnitPaths) -> UnitPaths:
    """A folder of this process's own beside the final one; its name says whose it is."""
    name = f".{paths.folder.name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp"
    folder = paths.folder.parent / name
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
    swept = 0
    for folder in units.glob(".*.tmp"):
        host, pid = folder.name.split(".")[-4:-2]
        if host == socket.gethostname() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
