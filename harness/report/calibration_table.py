"""The calibration table of a study: every method on clean test clips, as trained and after temperature scaling."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.paths import UnitPaths
from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.spec.trial import CLEAN
from harness.stats.calibration import JudgedTrial, calibration
from harness.stats.gather import headline
from harness.stats.kept_metrics import trial_temperatures
from harness.stats.logits import Predictions, read_predictions
from harness.stats.outcomes import Run
from harness.tables.schema import CALIBRATION
from harness.tables.selections import RANKED, RULES


class Calibrated(NamedTuple):
    """The networks judged on clean test clips, and the CALIBRATION table made of them."""

    trials: list[JudgedTrial]
    table: pd.DataFrame


def calibrated(results: StudyResults, replicates: int = 2000) -> Calibrated:
    """The ranked networks with their temperatures, and the CALIBRATION table: a row per method, rule and metric.

    Where a network has no validation predictions (entries and audits of older versions) its method has no row under
    that rule, because its temperature cannot be fitted.
    """
    trials = {rule: _judged(results, rule) for rule in RULES}
    rows = [row for rule, own in trials.items() if own for row in _rows(results, own, rule, replicates)]
    return Calibrated(trials[RANKED], pd.DataFrame(rows, columns=CALIBRATION.schema.names))


def _rows(results: StudyResults, trials: list[JudgedTrial], rule: str, replicates: int) -> list[dict[str, Any]]:
    return [
        {
            "method": row.method,
            "selection": rule,
            "metric": row.metric,
            **dict(zip(("value", "low", "high"), row.trained[:3], strict=True)),
            **dict(zip(("scaled", "scaled_low", "scaled_high"), row.scaled[:3], strict=True)),
            "temperature": row.temperature,
            "num_clips": row.trained.n,
            "num_runs": results.outcomes.num_runs(row.method),
        }
        for row in calibration(trials, replicates, derive("report", results.dataset["fingerprint"]))
    ]


def _judged(results: StudyResults, rule: str) -> list[JudgedTrial]:
    """The networks that a rule keeps, of the methods of which all are known."""
    methods = [method for method in results.outcomes.methods if _is_known(results, method, rule)]
    return [trial for method in methods for trial in _trials(results, method, rule)]


def _runs(results: StudyResults, method: str) -> Iterator[Run]:
    return (run for fold in results.outcomes.folds for run in fold.runs if run.method == method)


def _is_known(results: StudyResults, method: str, rule: str) -> bool:
    units = [results.units[run.trial_id] for run in _runs(results, method)]
    return all(_val(unit, rule).exists() and _tested(unit, results.suite.version, rule) for unit in units)


def _tested(unit: UnitPaths, version: str, rule: str) -> list[Path]:
    """The test predictions of the network that a rule keeps."""
    return unit.test_predictions(version) if rule == RANKED else unit.audit_predictions(version)


def _val(unit: UnitPaths, rule: str) -> Path:
    """The clean validation predictions of the network that a rule keeps."""
    return unit.predictions("val") if rule == RANKED else unit.audit_val_predictions


def _trials(results: StudyResults, method: str, rule: str) -> Iterator[JudgedTrial]:
    """The networks of a method that a rule keeps, on the clean test clips of their folds."""
    classes = results.outcomes.classes
    for run in _runs(results, method):
        unit = results.units[run.trial_id]
        tested = (_clean(path, len(classes), rule) for path in _tested(unit, results.suite.version, rule))
        rows, logits = next(found for found in tested if len(found.rows))
        order = np.argsort(rows["clip_id"].astype(str).to_numpy(), kind="stable")
        yield JudgedTrial(
            method=method,
            fold=run.fold,
            logits=logits[order],
            labels=rows["label"].to_numpy(dtype=np.int64)[order],
            temperature=_temperature(unit, classes, rule),
        )


def _temperature(unit: UnitPaths, classes: Sequence[str], rule: str) -> float:
    """The temperature fitted on the clean validation clips of the network that a rule keeps."""
    found = trial_temperatures(_val(unit, rule), classes)
    return found[headline(list(found)) if rule == RANKED else rule]


def _clean(path: Path, num_classes: int, rule: str) -> Predictions:
    """A rule's clean test rows of one file, of which there may be none."""
    rows, logits = read_predictions(path, num_classes)
    keep = ((rows["perturbation"] == CLEAN) & (rows["split"] == "test")).to_numpy()
    if keep.any():
        wanted = headline(rows.loc[keep, "selection"].unique().tolist()) if rule == RANKED else rule
        keep = keep & (rows["selection"] == wanted).to_numpy()
    return Predictions(rows[keep], logits[keep])
