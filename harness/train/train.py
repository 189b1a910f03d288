"""One training from its first epoch, or from where another process left it, to what it leaves on storage."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import torch

from harness.errors import HarnessError
from harness.paths import UnitPaths
from harness.tables import schema, store
from harness.tables.temporary import remove
from harness.train.audit import Auditor
from harness.train.build import count_macs
from harness.train.extensions import check_code
from harness.train.fit import Fitted, Training, fit, fit_seed
from harness.train.isolation import isolated
from harness.train.predict import prediction_rows
from harness.train.provenance import device_name, forget_peak, git_commit, peak_memory_mb, versions
from harness.train.record import forget_unfinished, hidden_folder, publish, write_checkpoint
from harness.train.resume import Journey, identity
from harness.train.showing import CLEAN_PASS
from harness.train.step import Diverged
from harness.train.task import OnEvent, Task, open_clips
from harness.train.warned import warned
from harness.train.weights import start_from

ACCUMULATION = 2
"""Micro-batches of a batch in the one retry after the device's memory ran out."""
OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|_ALLOC(ATION)?_FAILED")
"""How allocators complain that do not raise torch's own error: the host's, and by their status cuDNN's
(``CUDNN_STATUS_ALLOC_FAILED``, ``..._INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED``), cuBLAS's and cuFFT's."""


def train(task: Task, on_event: OnEvent) -> UnitPaths:
    """Train as far as the task says and publish it; where.

    If memory runs out, the training starts again with micro-batches of half the size, once, and the record says so.

    Raises:
        HarnessError: if the data or a plugin cannot be used (another package's whose source is not the one that the
            trial is named by among them), or memory runs out a second time.
    """
    check_code(task.trial.recipe)
    reason = ""
    for accumulation in (1, ACCUMULATION):
        try:
            return _train(task, on_event, accumulation, reason)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).partition("\n")[0]
        free_memory(task)
        on_event({"kind": "memory", "accumulation": ACCUMULATION, "reason": reason})
    batch = task.trial.training.batch_size
    raise HarnessError(
        f"Memory ran out on {task.device} even with batches of {batch} clips taken in {ACCUMULATION} parts: {reason} "
        "Lower training.batch_size, clip.size or clip.frames, set training.precision: bfloat16, or give the trial a "
        "larger share of a device (resources.gpus)."
    )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that the device's memory, or the host's, ran out."""
    return isinstance(error, torch.OutOfMemoryError) or bool(OUT_OF_MEMORY.search(str(error)))


def free_memory(task: Task) -> None:
    """Give the memory of an abandoned training back."""
    gc.collect()
    if torch.device(task.device).type == "cuda":
        torch.cuda.empty_cache()


def _train(task: Task, on_event: OnEvent, accumulation: int, reason: str) -> UnitPaths:
    """Train with a number of micro-batches per batch, and publish what came of it."""
    hidden = hidden_folder(task.paths)
    try:
        with warned() as warnings, _session(task, accumulation) as journey:
            record = _run(task, journey, hidden, on_event)
            record.update(_circumstances(task, journey))
        record["warnings"] = warnings
        if accumulation > 1:
            record.update(accumulation=accumulation, accumulation_reason=f"{reason} {_consequence(accumulation)}")
        store.write_text(json.dumps(task.trial.model_dump(mode="json"), indent=1), hidden.spec)
        paths = task.paths.stopped(record["epochs"]) if record["status"] == "stopped" else task.paths
        paths.folder.parent.mkdir(exist_ok=True)
        publish(hidden, paths, record)
    finally:
        remove(hidden.folder)
    if record["status"] != "stopped":
        forget_unfinished(task.paths)
    return paths


@contextmanager
def _session(task: Task, accumulation: int) -> Iterator[Journey]:
    """The training as it is to go on, with torch's generators its own."""
    trial, device = task.trial, torch.device(task.device)
    reader, fold = open_clips(task)
    forget_peak(device)
    with isolated(fit_seed(trial), task.threads, device):
        training = Training(trial, replace(fold, test=()), reader, device, accumulation)
        pretrained = start_from(training.model, trial, task.checkpoint)
        auditor = Auditor(reader, fold.test, device) if task.audit else None
        journey = Journey(training, auditor, identity(training, audited=task.audit, accumulation=accumulation))
        journey.pretrained = pretrained
        journey.take_up(task.paths.resume)
        yield journey


def _run(task: Task, journey: Journey, hidden: UnitPaths, on_event: OnEvent) -> dict[str, Any]:
    """Train to the task's last epoch and write what that leaves; what the record says of it."""
    training, auditor, trial = journey.training, journey.auditor, task.trial
    try:
        for row in fit(training, journey.course, task.last_epoch):
            if auditor:
                auditor(row["epoch"], training.model)
            on_event({"kind": "epoch", **row})
            if row["epoch"] < task.last_epoch:
                journey.save_if_due(task.paths.resume)
    except Diverged as error:
        return {"status": "diverged", "error": str(error), "selected_epoch": None}
    epochs = journey.course.epoch
    if epochs < trial.training.epochs:
        journey.save(task.paths.resume)
        found = _write(hidden, journey, journey.course.fitted(training.model))
        return {"status": "stopped", "error": "", "epochs": epochs, **found}
    kept = {}
    if auditor:
        kept = auditor.write(trial.trial_id, hidden, training.model.state_dict(), journey.course.kept.epoch)
    found = _write(hidden, journey, journey.course.fitted(training.model))
    write_checkpoint(training.model.state_dict(), hidden.checkpoint)
    return {"status": "done", "error": "", **found, "kept_epochs": kept}


def _write(hidden: UnitPaths, journey: Journey, fitted: Fitted) -> dict[str, Any]:
    """Write the epochs and the validation clips' logits, and return what the record says of them."""
    training = journey.training
    trial, source = training.trial, training.reader.source
    store.write(fitted.epochs, schema.EPOCHS, hidden.epochs)
    rows = prediction_rows(trial.trial_id, "val", source, training.fold.val, CLEAN_PASS, fitted.val_logits[None])
    store.write(rows, schema.predictions(len(source.classes)), hidden.predictions("val"))
    chosen = fitted.epochs[fitted.epochs["epoch"] == fitted.selected_epoch].iloc[0]
    return {
        "selected_epoch": fitted.selected_epoch,
        "val_war": float(chosen["val_war"]),
        "val_uar": float(chosen["val_uar"]),
        "parameters": sum(parameter.numel() for parameter in fitted.model.parameters()),
        "macs": count_macs(trial.recipe.model, len(source.classes), trial.clip),
    }


def _circumstances(task: Task, journey: Journey) -> dict[str, Any]:
    """Where, when and how a training was done: what may differ between two equal ones."""
    device = torch.device(task.device)
    return {
        "trial_id": task.trial.trial_id,
        "pretrained": journey.pretrained,
        "resumed_from": journey.resumed_from,
        "resume_note": journey.note,
        "seconds": journey.seconds,
        "peak_memory_mb": peak_memory_mb(device),
        "device": device_name(device),
        "versions": versions(),
        "git_commit": git_commit(),
        "created_at": datetime.now(UTC).isoformat(),
    }


def _consequence(accumulation: int) -> str:
    return (
        f"Batches were taken in {accumulation} parts, whose gradients were added; batch normalisation and contrastive "
        "terms saw one part at a time."
    )
