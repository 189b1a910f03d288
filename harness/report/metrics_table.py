"""The metrics table of a study, scored once per predictions file and kept beside it."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from harness.paths import UnitPaths
from harness.report.study_results import StudyResults
from harness.stats.kept_metrics import metrics_of


def metrics_table(results: StudyResults) -> pd.DataFrame:
    """Every metric of every finished trial's stored evaluations, those of other epochs included."""
    classes = tuple(results.dataset["classes"])
    version = results.suite.version
    frames = [
        metrics_of(path, classes, val)
        for trial_id in sorted(set(results.confirmed["trial_id"]))
        for path, val in _files(results.units[trial_id], version)
    ]
    everything = pd.concat(frames, ignore_index=True)
    return everything[_asked_for(everything, results)].reset_index(drop=True)


def _files(unit: UnitPaths, version: str) -> Iterator[tuple[Path, Path | None]]:
    """A trial's predictions, each with the validation predictions that its temperature is fitted on.

    Validation predictions of other epochs than the selected one are kept apart; older runs have none.
    """
    for tested, fitted in (
        (unit.test_predictions(version), unit.predictions("val")),
        (unit.audit_predictions(version), unit.audit_val_predictions),
    ):
        val = fitted if fitted.exists() else None
        if val is not None:
            yield val, val
        yield from ((path, val) for path in tested)


def _asked_for(frame: pd.DataFrame, results: StudyResults) -> pd.Series:
    """Conditions that this study asked for; a trial's folder may hold those of other studies."""
    wanted = {(one.perturbation, one.severity) for one in results.outcomes.conditions}
    pairs = zip(frame["perturbation"], frame["severity"].astype(float), strict=True)
    return pd.Series([pair in wanted for pair in pairs], index=frame.index)
