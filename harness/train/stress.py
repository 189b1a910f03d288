"""A trained network on test clips: its logits under every condition, fingerprints of what it saw, its features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from harness.data.clip import Fold
from harness.errors import DamagedError, HarnessError
from harness.paths import UnitPaths
from harness.seeds import derive, digest
from harness.spec.trial import CLEAN
from harness.tables import schema, store
from harness.tables.selections import AUDITED, RANKED
from harness.train.aside import put_aside
from harness.train.batches import ClipReader
from harness.train.build import build_model
from harness.train.conditions import foreign_code
from harness.train.fingerprint import Fingerprints
from harness.train.isolation import isolated
from harness.train.predict import (
    EVALUATION_BATCH,
    Watchers,
    evaluate_together,
    pooled_features,
    prediction_rows,
)
from harness.train.showing import CLEAN_PASS, Pass, different, passes_of
from harness.train.task import OnEvent, Task, open_clips
from perturbations._apply import SUITE_VERSION


class Showing(NamedTuple):
    """Clips to be shown to networks of one training, and where what those say of them is kept.

    Attributes:
        split: ``test`` or ``val``.
        rules: the selection rules by which the networks are kept.
        missing: passes that no predictions of this suite version hold yet.
    """

    split: Literal["test", "val"]
    rules: tuple[str, ...]
    missing: list[Pass]


def is_stressed(task: Task, record: Mapping[str, Any]) -> bool:
    """Whether a trained unit has everything that its task asks of validation and test clips."""
    return not (_lacks_features(task) or _showings(task, record))


def stress(task: Task, record: Mapping[str, Any], on_event: OnEvent) -> None:
    """Do whatever of the task's evaluations storage does not hold yet; the training is not touched."""
    showings = _showings(task, record)
    lacks_features = _lacks_features(task)
    if not showings and not lacks_features:
        return
    device = torch.device(task.device)
    reader, fold = open_clips(task)
    networks = Networks(task, record, len(reader.source.classes))
    with isolated(derive(task.trial.seed, "stress"), task.threads, device):
        for showing in showings:
            _show(task, networks, (reader, fold), showing, on_event)
        if lacks_features:
            _store_features(task, networks.kept_by(RANKED), reader, fold)


def _showings(task: Task, record: Mapping[str, Any]) -> list[Showing]:
    """What is still to be shown; test clips are perturbed once for all rules where they miss the same passes."""
    found = [
        Showing("val", (RANKED,), missing_passes(task, "val")),
        Showing("test", (RANKED,), missing_passes(task, "test")),
    ]
    if task.audit and record.get("kept_epochs"):
        audited = missing_passes(task, "audit")
        if audited == found[1].missing:
            found[1] = Showing("test", (RANKED, *AUDITED), audited)
        else:
            found.append(Showing("test", AUDITED, audited))
        found.append(Showing("val", AUDITED, [] if task.paths.audit_val_predictions.exists() else list(CLEAN_PASS)))
    return [showing for showing in found if showing.missing]


def missing_passes(task: Task, kind: Literal["test", "val", "audit"]) -> list[Pass]:
    """The conditions and repeats that no predictions of this suite version hold yet.

    The training itself leaves the predictions of clean validation clips. ``audit``: test clips, under the rules of
    selection that the study does not rank by.
    """
    paths = task.paths
    if kind == "val":
        perturbed = (condition for condition in task.val_conditions if condition.perturbation != CLEAN)
        wanted = passes_of(perturbed, task.repeats)
        whole, parts = paths.val_predictions_file, paths.val_predictions
    else:
        wanted = passes_of(task.conditions, task.repeats)
        whole, parts = paths.test_predictions_file, paths.test_predictions
        if kind == "audit":
            whole, parts = paths.audit_predictions_file, paths.audit_predictions
    if not wanted or whole(SUITE_VERSION, _name(wanted)).exists():
        return []
    seen = set[tuple[str, float, int]]().union(*(_held(paths, path) for path in parts(SUITE_VERSION)))
    return [
        one
        for one in wanted
        if (one.condition.perturbation, float(np.float32(one.condition.severity)), one.repeat) not in seen
    ]


def _held(paths: UnitPaths, file: Path) -> set[tuple[str, float, int]]:
    """The passes in a predictions file; none in one that is damaged or was made by other code, which is put aside."""
    columns = ["perturbation", "severity", "repeat"]
    try:
        frame, told = store.read_told(file, columns)
    except DamagedError as error:
        put_aside(paths, f"{file.name} is damaged: {error.reason}", file)
        return set()
    except FileNotFoundError:
        return set()
    frame = frame.drop_duplicates()
    if not set(_foreign(frame["perturbation"])) <= set(told):
        put_aside(paths, f"{file.name} was made by a perturbation whose source has changed", file)
        return set()
    return set(zip(*(frame[name].to_list() for name in columns), strict=True))


def _foreign(perturbations: Iterable[str]) -> list[str]:
    """What tells the source of perturbations of others, as far as they are installed."""
    found = []
    for name in sorted(set(perturbations) - {CLEAN}):
        with suppress(HarnessError):
            told = foreign_code(name)
            found += [f"{name}:{told}"] if told else []
    return found


def _lacks_features(task: Task) -> bool:
    return task.features and not task.paths.features.exists()


def _name(shown: list[Pass]) -> str:
    """A file's name says which passes are in it."""
    foreign = _foreign(one.condition.perturbation for one in shown)
    return digest([[one.condition.label, one.repeat] for one in shown] + foreign, 12)


class Networks:
    """The networks that one training left, by the rule that keeps them; each epoch's is loaded once."""

    def __init__(self, task: Task, record: Mapping[str, Any], num_classes: int) -> None:
        self._task, self._num_classes = task, num_classes
        self._selected = int(record["selected_epoch"])
        self._epochs: dict[str, int] = {RANKED: self._selected, **record.get("kept_epochs", {})}
        self._loaded: dict[int, nn.Module] = {}

    def of(self, rules: Sequence[str]) -> tuple[list[nn.Module], list[int]]:
        """The different networks that rules keep, and for each rule the place of its own among them."""
        epochs = list(dict.fromkeys(self._epochs[rule] for rule in rules))
        return [self._at(epoch) for epoch in epochs], [epochs.index(self._epochs[rule]) for rule in rules]

    def kept_by(self, rule: str) -> nn.Module:
        """The network that a rule keeps."""
        return self._at(self._epochs[rule])

    def _at(self, epoch: int) -> nn.Module:
        if epoch not in self._loaded:
            task = self._task
            path = task.paths.checkpoint if epoch == self._selected else task.paths.weights(epoch)
            model = build_model(task.trial.recipe.model, self._num_classes, task.trial.clip)
            model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
            self._loaded[epoch] = model.to(torch.device(task.device))
        return self._loaded[epoch]


def _show(task: Task, networks: Networks, clips: tuple[ClipReader, Fold], showing: Showing, on_event: OnEvent) -> None:
    """Show clips under their missing conditions and write a predictions file of the ranked rule and one of the others.

    The ranked rule's test predictions are written last: where they are, their fingerprints are.
    """
    reader, fold = clips
    clip_ids = fold.test if showing.split == "test" else fold.val
    fingerprints = Fingerprints(clip_ids)
    progress = {"kind": "stress", "conditions": len(different(showing.missing)[0])}
    models, places = networks.of(showing.rules)
    watchers = Watchers(
        torch.device(task.device),
        lambda done, total: on_event({**progress, "clips": done, "total": total}),
        fingerprints.look,
    )
    logits = evaluate_together(models, reader, clip_ids, showing.missing, EVALUATION_BATCH, watchers)
    rows = {
        rule: prediction_rows(
            task.trial.trial_id, showing.split, reader.source, clip_ids, showing.missing, logits[place], rule
        )
        for rule, place in zip(showing.rules, places, strict=True)
    }
    ranked, foreign = rows.pop(RANKED, None), _foreign(one.condition.perturbation for one in showing.missing)
    table, name, paths = schema.predictions(len(reader.source.classes)), _name(showing.missing), task.paths
    if rows:
        whole = paths.audit_predictions_file(SUITE_VERSION, name)
        target = whole if showing.split == "test" else paths.audit_val_predictions
        store.write(pd.concat(rows.values(), ignore_index=True), table, target, foreign)
    if ranked is None:
        return
    if showing.split == "val":
        store.write(ranked, table, paths.val_predictions_file(SUITE_VERSION, name), foreign)
        return
    store.write(fingerprints.rows(), schema.FINGERPRINTS, paths.fingerprints_file(SUITE_VERSION, name))
    store.write(ranked, table, paths.test_predictions_file(SUITE_VERSION, name), foreign)


def _store_features(task: Task, model: nn.Module, reader: ClipReader, fold: Fold) -> None:
    """Write the pooled features of the clean test clips."""
    found = pooled_features(model, reader, fold.test, EVALUATION_BATCH, torch.device(task.device))
    rows = pd.DataFrame({"trial_id": task.trial.trial_id, "clip_id": list(fold.test), "features": list(found)})
    store.write(rows, schema.features(found.shape[1]), task.paths.features)
