"""The selection audit: what the test fold would have said after every epoch, kept away from whatever selects.

An auditor is called between two epochs of :func:`harness.train.fit.fit`. It holds the test clips; the training does
not, and learns nothing from it. It leaves torch's generators as it found them, so a training is the same with and
without it.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import nn

from harness.metrics.uar import uar
from harness.metrics.war import war
from harness.paths import UnitPaths
from harness.tables import schema, store
from harness.train.batches import ClipReader
from harness.train.predict import CLEAN_PASS, EVALUATION_BATCH, evaluate, prediction_rows

LAST, BEST = "last", "best_on_test"
"""Selections of the audit's predictions: the last epoch, and the epoch with the highest UAR on the test fold."""


class Auditor:
    """Measures clean test clips after every epoch.

    Attributes:
        rows: of the audit table, without the trial's id.
        logits: ``n k`` test logits of the last epoch and of the best one so far, by selection.
    """

    def __init__(self, reader: ClipReader, test: Sequence[str], device: torch.device) -> None:
        self.reader, self.test, self.device = reader, tuple(test), device
        self.rows: list[dict[str, float]] = []
        self.logits: dict[str, np.ndarray] = {}
        self._labels = np.array([reader.source.clips[clip_id].label for clip_id in self.test])

    def __call__(self, epoch: int, model: nn.Module) -> None:
        """Measure the network as it is after an epoch."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            logits = evaluate(model, self.reader, self.test, CLEAN_PASS, EVALUATION_BATCH, self.device)[0]
        best = max((row["test_uar"] for row in self.rows), default=-np.inf)
        self.rows.append({"epoch": epoch, **self._measure(logits)})
        self.logits[LAST] = logits
        if self.rows[-1]["test_uar"] > best:
            self.logits[BEST] = logits

    def _measure(self, logits: Float[np.ndarray, "n k"]) -> dict[str, float]:
        return {"test_war": war.compute(logits, self._labels), "test_uar": uar.compute(logits, self._labels)}

    def state(self) -> dict[str, Any]:
        """What was measured so far, as tensors and text."""
        logits = {selection: torch.from_numpy(values) for selection, values in self.logits.items()}
        return {"rows": json.dumps(self.rows), "logits": logits}

    def take(self, state: dict[str, Any]) -> None:
        """Know what another auditor of this trial had measured."""
        self.rows = json.loads(state["rows"])
        self.logits = {selection: values.numpy() for selection, values in state["logits"].items()}

    def write(self, trial_id: str, paths: UnitPaths) -> None:
        """Write the audit's table and its predictions."""
        rows = pd.DataFrame(self.rows).assign(trial_id=trial_id)
        store.write(rows, schema.AUDIT, paths.audit)
        source = self.reader.source
        frames = [
            prediction_rows(trial_id, "test", source, self.test, CLEAN_PASS, logits[None], selection)
            for selection, logits in self.logits.items()
        ]
        table = schema.predictions(len(source.classes))
        store.write(pd.concat(frames, ignore_index=True), table, paths.audit_predictions)
