"""A trial's metrics, scored once and kept beside its predictions: adding a run costs the scoring of that run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.plugins import code, names
from harness.stats.logits import Predictions, read_predictions
from harness.stats.score import RECALL, SCALED, SUFFIX, TEMPERATURE, known_metrics, score_matrix
from harness.stats.temperature import fit_temperature
from harness.tables.content import sha256
from harness.tables.schema import METRICS
from harness.tables.store import made_of, read, write


def metrics_of(path: Path, classes: Sequence[str], val: Path | None = None) -> pd.DataFrame:
    """The metrics of one predictions file: read where they are kept and current, else scored and kept.

    Kept metrics are current if they say, by digest, that they were made of these very files (and by these
    metrics, where others add some), and hold every metric.

    Args:
        path: the predictions.
        classes: the class names, in label order.
        val: the same network's validation predictions; with them come its temperature and the calibration after it.
    """
    sources = [sha256(path)] if val is None else [sha256(path), sha256(val)]
    sources += [told for name in names("metric") if (told := code("metric", name))]
    found = _kept(path, sources, scaled=val is not None)
    if found is not None:
        return found
    predictions = read_predictions(path, len(classes))
    temperatures = {} if val is None else trial_temperatures(val, classes)
    scored = score_matrix(predictions, classes, temperatures)
    if path == val:
        scored = pd.concat([scored, _temperature_rows(predictions, temperatures)], ignore_index=True)
    write(scored, METRICS, kept_file(path), made_of=sources)
    return read(kept_file(path), METRICS)


def trial_temperatures(val: Path, classes: Sequence[str]) -> dict[str, float]:
    """The temperatures fitted on clean validation logits of a training's networks, by selection."""
    rows, logits = read_predictions(val, len(classes))
    labels, selections = rows["label"].to_numpy(dtype=np.int64), rows["selection"].to_numpy(dtype=object)
    return {
        str(rule): fit_temperature(logits[selections == rule], labels[selections == rule])
        for rule in pd.unique(selections)
    }


def kept_file(path: Path) -> Path:
    """Where the metrics of a predictions file are kept."""
    return path.with_name(path.name.replace("predictions-", "metrics-", 1))


def is_kept(path: Path) -> bool:
    """Whether a file is one that this module keeps."""
    return path.name.startswith("metrics-")


def forget_kept(folder: Path) -> None:
    """Delete what is kept in a folder and below: scores are made anew from predictions, whoever left them there."""
    for path in [path for path in folder.rglob("*") if is_kept(path) and path.is_file()]:
        path.unlink()


def _kept(path: Path, sources: list[str], *, scaled: bool) -> pd.DataFrame | None:
    """The metrics kept of a predictions file, unless they are made of other files or lack one."""
    kept = kept_file(path)
    try:
        if not kept.exists() or made_of(kept) != sources:
            return None
        found = read(kept, METRICS)
    except (HarnessError, FileNotFoundError):
        return None
    wanted = {RECALL, *known_metrics()} | ({f"{name}{SUFFIX}" for name in SCALED} if scaled else set())
    return found if set(found["metric"]) - {TEMPERATURE} == wanted else None


def _temperature_rows(predictions: Predictions, temperatures: Mapping[str, float]) -> pd.DataFrame:
    """The validation clips' rows that say at which temperature their logits are most likely, by selection."""
    rows = []
    for rule, temperature in temperatures.items():
        own = predictions.rows[predictions.rows["selection"] == rule]
        key = {name: own[name].iloc[0] for name in METRICS.key if name in own}
        rows.append({**key, "metric": TEMPERATURE, "class": "", "value": temperature, "num_clips": len(own)})
    return pd.DataFrame(rows, columns=METRICS.schema.names)
