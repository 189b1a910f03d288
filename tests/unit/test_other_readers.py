"""pandas, polars and DuckDB read every table, and the documented snippets do what they say."""

import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from fabricated_run import Fabrication, fabricate

from harness.paths import RunPaths
from harness.report.build import build
from harness.report.export import export_tables
from harness.tables import schema
from harness.tables.store import read, write

DOCS = Path(__file__).parents[2] / "docs" / "tables.md"
SMALL = Fabrication(folds=(1,), clips=30, severities=(3,), perturbations=("contrast", "global_shuffle"))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunPaths:
    """A run folder with a file of every table."""
    root = tmp_path_factory.mktemp("here") / "runs"
    made = fabricate(
        root,
        Fabrication(folds=(1,), clips=30, severities=(3,), perturbations=SMALL.perturbations, audit=True, features=4),
        study="quickstart",
    )
    build(made, replicates=20)
    epochs = pd.concat([read(path, schema.EPOCHS) for path in sorted(root.glob("units/*/epochs.parquet"))])
    write(epochs, schema.EPOCHS, made.table("epochs"))
    search = pd.DataFrame(
        {
            "method": "hdf", "configuration": [0, 1], "known": 0, "origin": "written", "values": "{}", "status": "done",
            "reason": "", "folds": [[1, 2], [1]], "scores": [[0.5, 0.25], [None]],
            "halts": [[(1, 0.5)], []], "score": [0.4, None], "estimate": 0.4, "objectives": [[("uar", 0.4)], []],
            "front": True, "chosen": [True, False], "cost": 1.5,
        }
    )  # fmt: skip
    write(search, schema.SEARCH, made.table("search"))
    shares = {"parameter": ["model.width", "optimizer.learning_rate"], "importance": [0.75, 0.25]}
    importance = pd.DataFrame({"method": "hdf", **shares, "evaluator": "variance", "num_configurations": 2})
    write(importance, schema.IMPORTANCE, made.table("importance"))
    return made


def files(run: RunPaths) -> list[Path]:
    return sorted(run.root.rglob("*.parquet"))


def test_every_table_is_there(run):
    found = {path.stem.split("-")[0] for path in files(run)}
    expected = {
        name.removesuffix(".parquet") for name in re.findall(r"`[^`]*?(\w+)(?:-\*)?\.parquet`", DOCS.read_text())
    }
    assert expected <= found


def plain(value: object) -> object:
    """A cell as every reader should see it: lists as lists, maps as dicts, missing as None, times in UTC."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        pairs = [tuple(one.values()) if isinstance(one, dict) else one for one in value]
        if pairs and all(isinstance(one, tuple) for one in pairs):
            return {key: plain(one) for key, one in pairs}
        return [plain(one) for one in pairs] or None
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()} or None
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def rows(columns: dict[str, list]) -> dict[str, list]:
    return {name: [plain(one) for one in values] for name, values in columns.items()}


def test_every_reader_sees_the_same_cells(run):
    for path in files(run):
        arrow = pq.ParquetFile(path).read().drop_columns([]).to_pydict()
        arrow.pop("created_at", None)
        wanted = rows(arrow)
        frame = pd.read_parquet(path)
        assert rows({name: frame[name].tolist() for name in wanted}) == wanted, path.name
        polars = pl.read_parquet(path)
        assert rows({name: polars[name].to_list() for name in wanted}) == wanted, path.name
        names = ", ".join(f'"{name}"' for name in wanted)
        found = duckdb.sql(f"SELECT {names} FROM read_parquet('{path}')").fetchall()  # noqa: S608 - our own names
        assert rows(dict(zip(wanted, map(list, zip(*found, strict=True)), strict=True))) == wanted, path.name


def test_times_are_read_as_utc(run):
    path = run.table("trials")
    moments = {
        pd.read_parquet(path)["created_at"].iloc[0].isoformat(),
        pl.read_parquet(path)["created_at"].to_list()[0].isoformat(),
    }
    assert moments == {"2026-01-01T00:00:00+00:00"}


def test_texts_stay_texts(run):
    """Names that look like numbers are not turned into them by any reader."""
    path = run.root / "units" / "010" / "predictions-test-v9-x.parquet"
    table = schema.predictions(7)
    source = read(next(run.root.glob("units/*/predictions-val.parquet")), table)
    write(source.assign(trial_id="010", group="1e5"), table, path)
    try:
        assert set(pl.read_parquet(path)["trial_id"]) == {"010"}
        assert set(pd.read_parquet(path)["group"]) == {"1e5"}
        assert duckdb.sql(f"SELECT DISTINCT trial_id FROM '{path}'").fetchall() == [("010",)]  # noqa: S608
    finally:
        path.unlink()


@pytest.fixture
def another_study(run):
    """A trial of a study with fewer classes in the same runs folder."""
    path = run.root / "units" / "0" / "predictions-test-v9-x.parquet"
    source = read(next(run.root.glob("units/*/predictions-val.parquet")), schema.predictions(7))
    fewer = source.assign(trial_id="0", logits=[logits[:4] for logits in source["logits"]])
    write(fewer, schema.predictions(4), path)
    yield
    path.unlink()
    path.parent.rmdir()


@pytest.mark.parametrize("tool", ["pandas", "polars", "DuckDB"])
@pytest.mark.parametrize("alone", [True, False])
def test_the_documented_snippet_gives_the_metrics_tables_numbers(run, tool, alone, monkeypatch, request):
    if not alone:
        request.getfixturevalue("another_study")
    monkeypatch.chdir(run.root.parent)
    section = DOCS.read_text().split(f"## {tool}\n")[1]
    space: dict = {}
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], space)  # noqa: S102 - our own documentation
    war = space["war"]
    cells = war.rows() if tool == "polars" else war
    found = dict(war.items()) if tool == "pandas" else {tuple(cell[:3]): cell[3] for cell in cells}
    metrics = read(run.table("metrics"), schema.METRICS)
    own = metrics[(metrics["metric"] == "war") & (metrics["split"] == "test") & (metrics["selection"] == "validation")]
    own = own.merge(read(run.table("trials"), schema.TRIALS)[["trial_id", "method"]], on="trial_id")
    wanted = own.set_index(["method", "perturbation", "severity"])["value"].to_dict()
    assert found == pytest.approx(wanted)
    assert len(found) == 9


def test_every_table_is_exported_flat(run, tmp_path):
    exported = export_tables(run, tmp_path, with_predictions=True)
    paths = {path.stem: path for path in exported if path.suffix == ".csv"}
    study = {"trials", "epochs", "search", "importance", "metrics", "scores", "robustness", "calibration"}
    of_paper = {"recalls", "confusions", "cost"}
    assert set(paths) == study | {"audit", "features", "fingerprints", "predictions"} | of_paper
    for name, path in paths.items():
        frame = pd.read_csv(path)
        assert len(frame), name
        assert not frame.astype(str).apply(lambda column: column.str.contains("array|object at")).any().any(), name
    predictions = pd.read_csv(paths["predictions"])
    assert [name for name in predictions if name.startswith("logit_")][:2] == ["logit_Happy", "logit_Sad"]
    assert len(predictions) == sum(pq.read_metadata(path).num_rows for path in run.root.glob("units/*/predictions-*"))
    assert pd.read_csv(paths["epochs"])["train_parts"].str.startswith('{"cross_entropy": ').all()
    assert pd.read_csv(paths["search"])["folds"].tolist() == ["[1, 2]", "[1]"]
    stored = pd.concat(read(path, schema.features(4)) for path in sorted(run.root.glob("units/*/features.parquet")))
    exported = pd.read_csv(paths["features"])[[f"features_{place}" for place in range(4)]].to_numpy(np.float32)
    np.testing.assert_array_equal(exported, np.stack(stored["features"].to_list()))


def test_predictions_are_exported_only_if_asked_for(run, tmp_path):
    assert "predictions.csv" not in {path.name for path in export_tables(run, tmp_path)}
