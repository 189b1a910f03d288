"""The metrics table of a study, scored once per predictions file and kept beside it."""

from pathlib import Path

import pandas as pd

from harness.errors import HarnessError
from harness.paths import UnitPaths
from harness.report.study_results import StudyResults
from harness.stats.logits import read_predictions
from harness.stats.score import RECALL, known_metrics, score_matrix
from harness.tables.schema import METRICS
from harness.tables.store import read, write


def metrics_table(results: StudyResults) -> pd.DataFrame:
    """Every metric of every finished trial's stored evaluations, those of other epochs included."""
    classes = tuple(results.dataset["classes"])
    version = results.suite.version
    frames = [
        metrics_of(path, classes)
        for trial_id in sorted(set(results.confirmed["trial_id"]))
        for unit in [results.units[trial_id]]
        for path in (*_existing(unit), *unit.test_predictions(version))
    ]
    everything = pd.concat(frames, ignore_index=True)
    return everything[_asked_for(everything, results)].reset_index(drop=True)


def metrics_of(path: Path, classes: tuple[str, ...]) -> pd.DataFrame:
    """The metrics of one predictions file: read where they are kept and current, else scored and kept.

    Kept metrics are current if they are not older than the predictions and hold every known metric.
    """
    kept = path.with_name(path.name.replace("predictions-", "metrics-", 1))
    if kept.exists() and kept.stat().st_mtime_ns >= path.stat().st_mtime_ns:
        try:
            found = read(kept, METRICS)
        except HarnessError:
            found = pd.DataFrame({"metric": []})
        if set(found["metric"]) == {RECALL, *known_metrics()}:
            return found
    scored = score_matrix(read_predictions(path, len(classes)), classes)
    write(scored, METRICS, kept)
    return read(kept, METRICS)


def _existing(unit: UnitPaths) -> list[Path]:
    """The validation clips' predictions and those of the selection audit, where a trial has them."""
    return [path for path in (unit.predictions("val"), unit.audit_predictions) if path.exists()]


def _asked_for(frame: pd.DataFrame, results: StudyResults) -> pd.Series:
    """Conditions that this study asked for; a trial's folder may hold those of other studies."""
    wanted = {(one.perturbation, one.severity) for one in results.outcomes.conditions}
    pairs = zip(frame["perturbation"], frame["severity"].astype(float), strict=True)
    return pd.Series([pair in wanted for pair in pairs], index=frame.index)
