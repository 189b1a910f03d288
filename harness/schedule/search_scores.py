"""What a search reads of finished units: validation scores from stored logits, never from what a worker remembers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from harness.paths import RunPaths
from harness.plan import Unit
from harness.plugins import load
from harness.spec.search import Objective
from harness.spec.study import StudySpec
from harness.tables import schema, store
from harness.train.unit import read_record


@dataclass(frozen=True, kw_only=True)
class SearchScores:
    """Scores of search units on storage.

    Attributes:
        study: names the objectives.
        run: where units are.
        num_classes: of the data set.
    """

    study: StudySpec
    run: RunPaths
    num_classes: int

    def score(self, unit: Unit) -> float | None:
        """The first objective of a unit that has ended; ``None`` if it diverged or has no result."""
        objective = self.study.search.objectives[0] if self.study.search else "uar"
        if unit.stop_after is not None:
            return self._at_epoch(unit, objective, unit.stop_after)
        paths = self.run.unit(unit.trial.trial_id)
        if not paths.record.exists() or read_record(paths)["status"] != "done":
            return None
        return self.further(unit, objective)

    def further(self, unit: Unit, objective: Objective) -> float:
        """An objective of a unit that is done."""
        logits, labels = validation_logits(self.run, unit.trial.trial_id, self.num_classes)
        return float(load("metric", objective).compute(logits, labels))

    def _at_epoch(self, unit: Unit, objective: str, epoch: int) -> float | None:
        """The score of the epoch that would be selected if training had ended at ``epoch``."""
        paths = self.run.unit(unit.trial.trial_id)
        if not paths.epochs.exists():
            return None
        rows = store.read(paths.epochs, schema.EPOCHS, ["epoch", "val_war", "val_uar", "val_loss"])
        return best_until(rows, objective, unit.trial.training.select_on, epoch)


def best_until(rows: pd.DataFrame, objective: str, select_on: str, epoch: int) -> float | None:
    """The score of the epoch that is selected among the first ``epoch``; ties go to the lower loss, then the earlier.

    Args:
        rows: of the epochs table, of one trial.
        objective: ``uar`` or ``war``.
        select_on: the training's rule; ``last`` selects the last epoch.
        epoch: counted from 1.
    """
    seen = rows[rows["epoch"] <= epoch]
    if len(seen) == 0:
        return None
    if select_on == "last":
        selected = seen.sort_values("epoch").iloc[-1]
    else:
        order = [f"val_{select_on}", "val_loss", "epoch"]
        selected = seen.sort_values(order, ascending=[False, True, True]).iloc[0]
    return float(selected[f"val_{objective}"])


def validation_logits(
    run: RunPaths, trial_id: str, num_classes: int
) -> tuple[Float[np.ndarray, "n k"], Int[np.ndarray, " n"]]:
    """A unit's stored logits on its clean validation clips, and their labels."""
    table = schema.predictions(num_classes)
    rows = store.read_arrow(run.unit(trial_id).predictions("val"), table, ["label", "logits"])
    logits = rows["logits"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return logits.reshape(-1, num_classes), rows["label"].to_numpy()
