"""A report of a study file that was changed since it was run says that it shows what was run."""

import pytest
from fabricated_run import Fabrication, fabricate
from typer.testing import CliRunner

from harness.cli import app
from harness.paths import RunPaths
from harness.report.changed import changed_since_run
from harness.schedule.run import open_study
from harness.spec.load import bundled_studies, dump_study, load_study
from harness.tables.store import write_text

STUDY = """
name: fabricated
question: Which is better?
dataset: {name: synthetic}
folds: [1]
seeds: [0]
clip: {frames: 8, size: 32}
training: {epochs: 1, batch_size: 8}
methods:
  hdf: {model: {name: hdf}}
  x3d: {model: {name: x3d}}
"""


def test_a_changed_file_is_one_line_of_warning_and_an_unchanged_one_is_none(tmp_path):
    run = RunPaths(tmp_path / "runs", "fabricated")
    file = tmp_path / "ours.yaml"
    file.write_text(STUDY)
    assert changed_since_run(file, run, "") == "", "nothing was run"
    run.study_file.parent.mkdir(parents=True)
    run.study_file.write_text(STUDY)
    assert changed_since_run(file, run, "") == ""
    file.write_text(STUDY.replace("Which", "Who").replace("seeds: [0]", "seeds: [4, 5]"))
    warning = changed_since_run(file, run, "dferbench run ours.yaml")
    assert "ours.yaml was changed since it was run, in: question, seeds. What follows is what was run" in warning
    assert warning.endswith("Bring it up to date with: dferbench run ours.yaml")
    assert "\n" not in warning
    run.study_file.write_text("nonsense: 1")
    assert "of another version" in changed_since_run(file, run, "")


def test_compare_warns_beside_its_answer(tmp_path):
    run = fabricate(tmp_path / "runs", Fabrication(skills={"hdf": 1.5, "x3d": 1.0}, clips=30, perturbations=()))
    file = tmp_path / "ours.yaml"
    file.write_text(STUDY)
    run.study_file.write_text(STUDY.replace("better", "best"))
    done = CliRunner().invoke(app, ["compare", str(file), "--out", str(run.root)])
    assert done.exit_code == 0, done.output
    assert "in: question. What follows is what was run" in done.stderr
    assert f"dferbench run {file} --out {run.root}" in done.stderr
    assert "warning" not in done.stdout


@pytest.mark.parametrize("verb", ["report", "compare"])
def test_a_study_s_folder_is_no_changed_file(verb, tmp_path):
    run = fabricate(tmp_path / "runs", Fabrication(skills={"hdf": 1.5, "x3d": 1.0}, clips=30, perturbations=()))
    run.study_file.write_text(STUDY)
    done = CliRunner().invoke(app, [verb, str(run.study_file.parent)])
    assert done.exit_code == 0, done.output
    assert "warning" not in done.stderr


def test_what_a_run_fills_in_is_no_change(tmp_path):
    """A suite's members, and the hashes of a checkpoint and of another package's source."""
    from harness.train.conditions import with_suite

    written = load_study(bundled_studies()["quickstart"])
    written = written.model_copy(update={"stress": written.stress.model_copy(update={"suite": "core"})})
    filled = with_suite(written)
    methods = {name: one.model_copy(update={"weights": "a", "code": "b"}) for name, one in filled.methods.items()}
    file, run = tmp_path / "mine.yaml", RunPaths(tmp_path / "runs", written.name)
    write_text(dump_study(written), file)
    write_text(dump_study(filled.model_copy(update={"methods": methods})), run.study_file)
    assert changed_since_run(file, run, "") == ""
    write_text(dump_study(written.model_copy(update={"seeds": (7,)})), file)
    assert "in: seeds." in changed_since_run(file, run, "")


def test_the_copy_that_a_run_keeps_finds_the_data_from_everywhere_and_is_no_changed_file(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run, file = RunPaths(tmp_path / "runs", "fabricated"), tmp_path / "ours.yaml"
    file.write_text(STUDY.replace("synthetic", "clip_folder, root: ../mine"))
    opened = open_study(file)
    assert opened.dataset.root == str(tmp_path / "here" / "../mine")
    run.study_file.parent.mkdir(parents=True)
    run.study_file.write_text(dump_study(opened))
    assert changed_since_run(file, run, "") == ""
    monkeypatch.chdir(tmp_path)
    assert open_study(run.study_file) == opened
    file.write_text(STUDY.replace("synthetic", "clip_folder, root: other"))
    assert "in: dataset." in changed_since_run(file, run, "")
