"""A trial's metrics, scored once and kept beside its predictions: adding a run costs the scoring of that run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.stats.logits import Predictions, read_predictions
from harness.stats.score import RECALL, SCALED, SUFFIX, TEMPERATURE, known_metrics, score_matrix
from harness.stats.temperature import fit_temperature
from harness.tables.schema import METRICS
from harness.tables.store import read, write


def metrics_of(path: Path, classes: Sequence[str], val: Path | None = None) -> pd.DataFrame:
    """The metrics of one predictions file: read where they are kept and current, else scored and kept.

    Kept metrics are current if they are not older than the files that they are made of and hold every known metric.

    Args:
        path: the predictions.
        classes: the class names, in label order.
        val: the same network's validation predictions; with them come its temperature and the calibration after it.
    """
    found = _kept(path, val)
    if found is not None:
        return found
    predictions = read_predictions(path, len(classes))
    temperature = None if val is None else trial_temperature(val, classes)
    scored = score_matrix(predictions, classes, temperature)
    if path == val and temperature is not None:
        scored = pd.concat([scored, _temperature_row(predictions, temperature)], ignore_index=True)
    write(scored, METRICS, kept_file(path))
    return read(kept_file(path), METRICS)


def trial_temperature(val: Path, classes: Sequence[str]) -> float:
    """The temperature fitted on a trial's clean validation logits."""
    rows, logits = read_predictions(val, len(classes))
    return fit_temperature(logits, rows["label"].to_numpy(dtype=np.int64))


def kept_file(path: Path) -> Path:
    """Where the metrics of a predictions file are kept."""
    return path.with_name(path.name.replace("predictions-", "metrics-", 1))


def _kept(path: Path, val: Path | None) -> pd.DataFrame | None:
    """The metrics kept of a predictions file, unless they are older than what they are made of or lack one."""
    kept = kept_file(path)
    if not kept.exists():
        return None
    sources = [path] if val is None else [path, val]
    if any(kept.stat().st_mtime_ns < source.stat().st_mtime_ns for source in sources):
        return None
    try:
        found = read(kept, METRICS)
    except HarnessError:
        return None
    scaled = set() if val is None else {f"{name}{SUFFIX}" for name in SCALED}
    return found if set(found["metric"]) - {TEMPERATURE} == {RECALL, *known_metrics(), *scaled} else None


def _temperature_row(predictions: Predictions, temperature: float) -> pd.DataFrame:
    """The validation clips' row that says at which temperature their logits are most likely."""
    key = {name: predictions.rows[name].iloc[0] for name in METRICS.key if name in predictions.rows}
    row = {"metric": TEMPERATURE, "class": "", "value": temperature, "num_clips": len(predictions.rows)}
    return pd.DataFrame([{**key, **row}], columns=METRICS.schema.names)
