"""``dferbench export``: a study's tables as comma-separated values."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths
from harness.report.paper_tables import write_paper_tables
from harness.report.study_results import read_dataset, read_results
from harness.stats.suite import read_suite
from harness.tables import schema
from harness.tables.store import read, read_arrow, width_of, write_text

STUDY_TABLES = (
    schema.TRIALS,
    schema.EPOCHS,
    schema.SEARCH,
    schema.IMPORTANCE,
    schema.METRICS,
    schema.SCORES,
    schema.ROBUSTNESS,
    schema.CALIBRATION,
)
"""One file each in the study's ``tables`` folder."""


def export_tables(run: RunPaths, folder: Path, *, with_predictions: bool = False) -> list[Path]:
    """Write every table that a study has as CSV, one file a table; and of a study with a report, the tables of a paper.

    Tables that lie in the trials' folders are put together, with the trial's id in front of each row. Lists of a fixed
    length become a column for each place (logits one for each class); other lists and maps become JSON.

    Args:
        run: the study.
        folder: gets the files.
        with_predictions: also the predictions, which are by far the largest.

    Raises:
        HarnessError: if the study has no table at all.
    """
    tables = [
        (table.name, [_flat(read_arrow(run.table(table.name), table))])
        for table in STUDY_TABLES
        if run.table(table.name).exists()
    ]
    if not tables:
        raise HarnessError(f"There is no table in {run.table('trials').parent}. Run the study first.")
    tables += _trial_tables(run, with_predictions=with_predictions)
    written = [_write(frames, folder / f"{name}.csv") for name, frames in tables if frames]
    return [*written, *(path for path in _paper_tables(run, folder) if path not in written)]


def _paper_tables(run: RunPaths, folder: Path) -> list[Path]:
    """Nothing before there is a report, as a study that has not ended has none."""
    path = run.table(schema.ROBUSTNESS.name)
    return write_paper_tables(read_results(run), read(path, schema.ROBUSTNESS), folder) if path.exists() else []


def _trial_tables(run: RunPaths, *, with_predictions: bool) -> list[tuple[str, list[pd.DataFrame]]]:
    """What lies in the folders of the study's trials."""
    trials = sorted(set(read(run.table("trials"), schema.TRIALS, ["trial_id"])["trial_id"]))
    units = [run.unit(trial_id) for trial_id in trials]
    version = read_suite(run.suite_file).version if run.suite_file.exists() else ""
    return [
        ("audit", [_flat(read_arrow(unit.audit, schema.AUDIT)) for unit in units if unit.audit.exists()]),
        ("features", [_features(unit.features) for unit in units if unit.features.exists()]),
        ("fingerprints", [frame for unit in units for frame in _fingerprints(unit, version)]),
        ("predictions", [frame for unit in units for frame in _predictions(run, unit)] if with_predictions else []),
    ]


def _features(path: Path) -> pd.DataFrame:
    return _flat(read_arrow(path, schema.features(width_of(path, "features"))))


def _fingerprints(unit: UnitPaths, version: str) -> Iterator[pd.DataFrame]:
    for path in unit.fingerprints(version):
        frame = _flat(read_arrow(path, schema.FINGERPRINTS))
        frame.insert(0, "trial_id", unit.folder.name)
        yield frame


def _predictions(run: RunPaths, unit: UnitPaths) -> Iterator[pd.DataFrame]:
    classes = read_dataset(run)["classes"]
    for path in sorted(unit.folder.glob("predictions-*.parquet")):
        yield _flat(read_arrow(path, schema.predictions(len(classes))), {"logits": [f"logit_{one}" for one in classes]})


def _flat(table: pa.Table, names: dict[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """A table whose every cell is one number or text."""
    columns: dict[str, object] = {}
    for field in table.schema:
        column = table.column(field.name).combine_chunks()
        if pa.types.is_fixed_size_list(field.type):
            heads = (names or {}).get(field.name) or [f"{field.name}_{place}" for place in range(field.type.list_size)]
            values = column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
            columns |= dict(zip(heads, values.T, strict=True))
        elif pa.types.is_list(field.type) or pa.types.is_map(field.type):
            columns[field.name] = [None if one is None else _json(one) for one in column.to_pylist()]
        else:
            columns[field.name] = column.to_pandas()
    return pd.DataFrame(columns)


def _json(value: list[Any]) -> str:
    """A list as JSON, and what a map holds (pairs of key and value) as a JSON object."""
    pairs = bool(value) and all(isinstance(one, tuple) for one in value)
    return json.dumps({str(one[0]): one[1] for one in value} if pairs else value)


def _write(frames: Sequence[pd.DataFrame], path: Path) -> Path:
    """One CSV of several frames, which are not held together."""
    texts = [frame.to_csv(index=False, header=index == 0, lineterminator="\n") for index, frame in enumerate(frames)]
    write_text("".join(texts), path)
    return path
