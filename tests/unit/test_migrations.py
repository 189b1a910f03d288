"""Runs of older versions stay readable, and say what they said."""

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.build import build
from harness.tables import migrations, schema, store

OLD = Path(__file__).parents[1] / "golden" / "run_v1"


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture
def old(tmp_path) -> RunPaths:
    shutil.copytree(OLD, tmp_path / "runs")
    return RunPaths(tmp_path / "runs", "old")


def test_the_golden_run_is_of_version_one():
    versions = {pq.read_schema(path).metadata[b"dferbench.version"] for path in OLD.rglob("*.parquet")}
    assert versions == {b"1"}


def test_an_old_trials_table_gains_the_macs_column_empty_and_in_its_place(old):
    before = digests(old.root)
    trials = store.read(old.table("trials"), schema.TRIALS)
    assert list(trials) == schema.TRIALS.schema.names
    assert trials["macs"].isna().all()
    assert set(trials["parameters"]) == {3_000_000}
    assert digests(old.root) == before, "reading never rewrites a file"


def test_a_column_that_an_old_table_lacks_can_be_asked_for_alone(old):
    found = store.read_arrow(old.table("trials"), schema.TRIALS, ["macs", "fold"])
    assert found.schema.names == ["macs", "fold"]


def test_an_old_run_gives_the_leaderboard_that_it_gave(old):
    kept = pd.read_csv(old.output("leaderboard.csv"))
    build(old, replicates=50)
    now = pd.read_csv(old.output("leaderboard.csv"))
    pd.testing.assert_frame_equal(now[kept.columns.tolist()], kept)
    assert pq.read_schema(old.table("metrics")).metadata[b"dferbench.version"] == str(schema.VERSION).encode()


@pytest.mark.parametrize("name", ["trials", "epochs", "metrics", "scores"])
def test_every_old_table_is_readable(old, name):
    table = getattr(schema, name.upper())
    path = old.table(name) if old.table(name).exists() else next(old.root.rglob(f"{name}.parquet"))
    assert len(store.read(path, table))


def test_steps_are_taken_in_order_from_the_files_version_on(monkeypatch):
    monkeypatch.setattr(migrations, "VERSION", 4)
    taken = []

    def step(table: str, since: int) -> migrations.Step:
        def change(found: pa.Table) -> pa.Table:
            taken.append((table, since))
            return found

        return migrations.Step(table=table, since=since, change=change)

    steps = (step("a", 3), step("a", 1), step("b", 2), step("a", 2))
    migrations.migrated(pa.table({}), "a", 2, steps)
    assert taken == [("a", 2), ("a", 3)]


def test_a_rule_that_a_scope_named_becomes_a_column_of_its_own():
    scopes = ["clean", "clean:last", "clean:best_on_test", "family:noise", "fog-3"]
    names = [name for name in schema.SCORES.schema.names if name != "selection"]
    columns = {name: pa.nulls(len(scopes), schema.SCORES.schema.field(name).type) for name in names}
    found = migrations.migrated(pa.table(columns | {"scope": scopes}), "scores", 2)
    assert found.column_names == schema.SCORES.schema.names
    assert found["scope"].to_pylist() == ["clean", "clean", "clean", "family:noise", "fog-3"]
    assert found["selection"].to_pylist() == ["validation", "last", "best_on_test", "validation", "validation"]


@pytest.mark.parametrize("table", [schema.ROBUSTNESS, schema.CALIBRATION], ids=lambda table: table.name)
def test_numbers_of_before_the_rules_are_the_ranked_ones(table):
    names = [name for name in table.schema.names if name != "selection"]
    found = migrations.migrated(
        pa.table({name: pa.nulls(2, table.schema.field(name).type) for name in names}), table.name, 2
    )
    assert found.schema.names == table.schema.names
    assert found["selection"].to_pylist() == ["validation"] * 2


def test_a_configuration_of_a_round_was_asked_by_what_earlier_rounds_had_told():
    fields = {("round" if field.name == "known" else field.name): field.type for field in schema.SEARCH.schema}
    told = {"method": ["hdf", "hdf", "x3d", "hdf", "hdf"], "round": [0, 0, 0, 1, 2]}
    old = pa.table({name: pa.array(told.get(name, [None] * 5), kind) for name, kind in fields.items()})
    found = migrations.migrated(old, "search", 3)
    assert found.schema.names == schema.SEARCH.schema.names
    assert found["known"].to_pylist() == [0, 0, 0, 2, 3]


def test_every_step_names_a_table_and_an_older_version():
    tables = {table.name for table in vars(schema).values() if isinstance(table, schema.Table)}
    for step in migrations.STEPS:
        assert step.table in tables
        assert 1 <= step.since < schema.VERSION


def test_a_newer_run_asks_for_an_upgrade(old):
    path = old.table("trials")
    newer = pq.read_table(path).replace_schema_metadata({b"dferbench.version": str(schema.VERSION + 1).encode()})
    pq.write_table(newer, path)
    with pytest.raises(HarnessError, match="Upgrade dferbench"):
        store.read(path, schema.TRIALS)
