"""The calibration table of a study: every method on clean test clips, as trained and after temperature scaling."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.spec.trial import CLEAN
from harness.stats.calibration import JudgedTrial, calibration
from harness.stats.gather import headline
from harness.stats.kept_metrics import trial_temperature
from harness.stats.logits import Predictions, read_predictions
from harness.stats.outcomes import Run
from harness.tables.schema import CALIBRATION


class Calibrated(NamedTuple):
    """The networks judged on clean test clips, and the CALIBRATION table made of them."""

    trials: list[JudgedTrial]
    table: pd.DataFrame


def calibrated(results: StudyResults, replicates: int = 2000) -> Calibrated:
    """Every network with its temperature, and one row per method and metric in the CALIBRATION schema.

    Methods of which a network has no validation predictions (entries of older versions) have no row, because their
    temperatures cannot be fitted.
    """
    methods = [method for method in results.outcomes.methods if _has_validation(results, method)]
    trials = [trial for method in methods for trial in _trials(results, method)]
    rows = [
        {
            "method": row.method,
            "metric": row.metric,
            **dict(zip(("value", "low", "high"), row.trained[:3], strict=True)),
            **dict(zip(("scaled", "scaled_low", "scaled_high"), row.scaled[:3], strict=True)),
            "temperature": row.temperature,
            "num_clips": row.trained.n,
            "num_runs": results.outcomes.num_runs(row.method),
        }
        for row in calibration(trials, replicates, derive("report", results.dataset["fingerprint"]))
    ]
    return Calibrated(trials, pd.DataFrame(rows, columns=CALIBRATION.schema.names))


def _runs(results: StudyResults, method: str) -> Iterator[Run]:
    return (run for fold in results.outcomes.folds for run in fold.runs if run.method == method)


def _has_validation(results: StudyResults, method: str) -> bool:
    return all(results.units[run.trial_id].predictions("val").exists() for run in _runs(results, method))


def _trials(results: StudyResults, method: str) -> Iterator[JudgedTrial]:
    """A method's networks on the clean test clips of their folds."""
    classes = results.outcomes.classes
    for run in _runs(results, method):
        unit = results.units[run.trial_id]
        tested = (_clean(path, len(classes)) for path in unit.test_predictions(results.suite.version))
        rows, logits = next(found for found in tested if len(found.rows))
        order = np.argsort(rows["clip_id"].astype(str).to_numpy(), kind="stable")
        yield JudgedTrial(
            method=method,
            fold=run.fold,
            logits=logits[order],
            labels=rows["label"].to_numpy(dtype=np.int64)[order],
            temperature=trial_temperature(unit.predictions("val"), classes),
        )


def _clean(path: Path, num_classes: int) -> Predictions:
    """The ranked selection's clean test rows of one file, of which there may be none."""
    rows, logits = read_predictions(path, num_classes)
    keep = ((rows["perturbation"] == CLEAN) & (rows["split"] == "test")).to_numpy()
    if keep.any():
        ranked = headline(rows.loc[keep, "selection"].unique().tolist())
        keep = keep & (rows["selection"] == ranked).to_numpy()
    return Predictions(rows[keep], logits[keep])
