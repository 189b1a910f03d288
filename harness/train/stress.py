"""A trained network on test clips: its logits under every condition, fingerprints of what it saw, its features."""

from __future__ import annotations

import pandas as pd
import torch
from torch import nn

from harness.data.clip import Fold
from harness.seeds import derive, digest
from harness.tables import schema, store
from harness.train.batches import ClipReader
from harness.train.build import build_model
from harness.train.fingerprint import Fingerprints
from harness.train.isolation import isolated
from harness.train.predict import EVALUATION_BATCH, Pass, evaluate, passes, pooled_features, prediction_rows
from harness.train.task import OnEvent, Task, open_clips
from perturbations._apply import SUITE_VERSION


def is_stressed(task: Task) -> bool:
    """Whether a trained unit has everything that its task asks of the test clips."""
    return not (_lacks_features(task) or missing_passes(task))


def stress(task: Task, on_event: OnEvent) -> None:
    """Do whatever of the task's evaluations storage does not hold yet; the training is not touched."""
    missing, lacks_features = missing_passes(task), _lacks_features(task)
    if not missing and not lacks_features:
        return
    device = torch.device(task.device)
    reader, fold = open_clips(task)
    with isolated(derive(task.trial.seed, "stress"), task.threads, device):
        model = _trained(task, reader, device)
        if missing:
            _show(task, model, (reader, fold), missing, on_event)
        if lacks_features:
            _store_features(task, model, reader, fold)


def missing_passes(task: Task) -> list[Pass]:
    """The conditions and repeats that no predictions of this suite version hold yet."""
    wanted = passes(task.conditions, task.repeats)
    if task.paths.test_predictions_file(SUITE_VERSION, _name(wanted)).exists():
        return []
    columns = ["perturbation", "severity", "repeat"]
    seen: set[tuple[str, float, int]] = set()
    for path in task.paths.test_predictions(SUITE_VERSION):
        frame = store.read_columns(path, columns).drop_duplicates()
        seen.update(zip(*(frame[name].to_list() for name in columns), strict=True))
    return [
        one for one in wanted if (one.condition.perturbation, float(one.condition.severity), one.repeat) not in seen
    ]


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


def _show(task: Task, model: nn.Module, clips: tuple[ClipReader, Fold], missing: list[Pass], on_event: OnEvent) -> None:
    """Show the test clips under the missing conditions and write one predictions file for this pass.

    The predictions are written last: where they are, their fingerprints are.
    """
    reader, fold = clips
    fingerprints = Fingerprints(fold.test)
    progress = {"kind": "stress", "conditions": len(missing)}
    logits = evaluate(
        model,
        reader,
        fold.test,
        missing,
        EVALUATION_BATCH,
        torch.device(task.device),
        lambda done, total: on_event({**progress, "clips": done, "total": total}),
        fingerprints.look,
    )
    paths, name = task.paths, _name(missing)
    store.write(fingerprints.rows(), schema.FINGERPRINTS, paths.fingerprints_file(SUITE_VERSION, name))
    rows = prediction_rows(task.trial.trial_id, "test", reader.source, fold.test, missing, logits)
    table = schema.predictions(len(reader.source.classes))
    store.write(rows, table, paths.test_predictions_file(SUITE_VERSION, name))


def _store_features(task: Task, model: nn.Module, reader: ClipReader, fold: Fold) -> None:
    """Write the pooled features of the clean test clips."""
    found = pooled_features(model, reader, fold.test, EVALUATION_BATCH, torch.device(task.device))
    rows = pd.DataFrame({"trial_id": task.trial.trial_id, "clip_id": list(fold.test), "features": list(found)})
    store.write(rows, schema.features(found.shape[1]), task.paths.features)
