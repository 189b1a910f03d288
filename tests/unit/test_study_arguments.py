"""A verb takes a study's folder as it takes its file."""

import sys
from pathlib import Path

import pytest
from fabricated_run import Fabrication, fabricate

from harness.cli import main
from harness.cli.arguments import RUNS, file_of, run_of, runs_of
from harness.errors import HarnessError
from harness.report.known_groups import require_groups
from harness.report.study_results import read_results
from harness.spec.load import bundled_studies
from harness.tables.schema import predictions
from harness.tables.store import read, write

SMALL = Fabrication(skills={"a": 1.0, "b": 0.5}, clips=30, perturbations=("contrast",), severities=(3,))


@pytest.fixture
def run(tmp_path):
    return fabricate(tmp_path / "runs", SMALL, "mine")


def test_a_studys_folder_stands_for_its_file_and_for_the_runs_folder_that_it_lies_in(run):
    folder = str(run.folder)
    assert file_of(folder) == run.study_file
    assert runs_of(folder, RUNS) == run.root
    assert run_of(folder, RUNS) == run


def test_a_runs_folder_that_is_asked_for_comes_first(run, tmp_path):
    assert runs_of(str(run.folder), tmp_path / "other") == tmp_path / "other"


def test_a_file_and_a_bundled_study_lie_in_the_runs_folder_that_is_asked_for(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_of("quickstart", Path("x")).folder == Path("x/quickstart")
    assert file_of("quickstart") == bundled_studies()["quickstart"]
    assert file_of(str(run.study_file)) == run.study_file
    assert runs_of(str(run.study_file), RUNS) == RUNS


def test_a_folder_without_a_study_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="There is no study file"):
        file_of(str(tmp_path))


@pytest.mark.uses_global_rng  # the command line's error box
@pytest.mark.parametrize("option", ["--clips", "--folds"])
def test_a_planned_study_has_clips_and_folds(option, run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dferbench", "power", str(run.folder), option, "0"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert option in capsys.readouterr().err


def test_groups_cannot_be_resampled_where_no_clip_names_one(run, monkeypatch, capsys):
    require_groups(run)
    schema = predictions(len(read_results(run).outcomes.classes))
    for path in run.units.glob("*/predictions-test-*.parquet"):
        write(read(path, schema).assign(group=""), schema, path)
    monkeypatch.setattr(sys, "argv", ["dferbench", "compare", str(run.folder), "--by-group"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "names a group, so --by-group has nothing to resample" in capsys.readouterr().err
