"""The selection audit: what the test fold would have said after every epoch, kept away from whatever selects.

An auditor is called between two epochs of :func:`harness.train.fit.fit`. It holds the test clips; the training does
not, and learns nothing from it. It leaves torch's generators as it found them, so a training is the same with and
without it. The weights that other rules of selection would have kept are kept beside the selected ones, so that the
network can be shown every condition under each rule.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from harness.metrics.uar import uar
from harness.metrics.war import war
from harness.paths import UnitPaths
from harness.tables import schema, store
from harness.tables.selections import BEST_ON_TEST, LAST, RANKED
from harness.train.batches import ClipReader
from harness.train.predict import EVALUATION_BATCH, evaluate
from harness.train.record import write_checkpoint
from harness.train.showing import CLEAN_PASS


class Auditor:
    """Measures clean test clips after every epoch.

    Attributes:
        rows: of the audit table, without the trial's id.
        weights: of the best epoch so far; the first one with the highest UAR.
    """

    def __init__(self, reader: ClipReader, test: Sequence[str], device: torch.device) -> None:
        self.reader, self.test, self.device = reader, tuple(test), device
        self.rows: list[dict[str, float]] = []
        self.weights: dict[str, Tensor] = {}
        self._labels = np.array([reader.source.clips[clip_id].label for clip_id in self.test])

    @property
    def best(self) -> int:
        """The first epoch with the highest UAR."""
        scores = [row["test_uar"] for row in self.rows]
        return int(self.rows[scores.index(max(scores))]["epoch"])

    def __call__(self, epoch: int, model: nn.Module) -> None:
        """Measure the network as it is after an epoch."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            logits = evaluate(model, self.reader, self.test, CLEAN_PASS, EVALUATION_BATCH, self.device)[0]
        self.rows.append({"epoch": epoch, **self._measure(logits)})
        if self.best == epoch:
            self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def _measure(self, logits: Float[np.ndarray, "n k"]) -> dict[str, float]:
        return {"test_war": war.compute(logits, self._labels), "test_uar": uar.compute(logits, self._labels)}

    def state(self) -> dict[str, Any]:
        """What was measured and kept so far, as tensors and text."""
        return {"rows": json.dumps(self.rows), "weights": self.weights}

    def take(self, state: dict[str, Any]) -> None:
        """Know what another auditor of this trial had measured."""
        self.rows = json.loads(state["rows"])
        self.weights = {name: value.to(self.device) for name, value in state["weights"].items()}

    def write(self, trial_id: str, paths: UnitPaths, last: dict[str, Tensor], selected: int) -> dict[str, int]:
        """Write the audit's table and the weights that the study did not select; the epoch that each rule keeps.

        Args:
            trial_id: of the training, which has ended.
            paths: where to.
            last: weights of the last epoch.
            selected: the epoch chosen on validation clips, whose weights are kept anyway.
        """
        store.write(pd.DataFrame(self.rows).assign(trial_id=trial_id), schema.AUDIT, paths.audit)
        kept = {RANKED: selected, LAST: int(self.rows[-1]["epoch"]), BEST_ON_TEST: self.best}
        weights = {kept[BEST_ON_TEST]: self.weights, kept[LAST]: last}
        for epoch in weights.keys() - {selected}:
            write_checkpoint(weights[epoch], paths.weights(epoch))
        return kept
