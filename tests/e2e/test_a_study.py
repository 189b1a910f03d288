"""One study from video files to a leaderboard: on Ray, locally, interrupted, repeated, extended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import NUM_UNITS, STUDY
from processes import living_with

from harness.paths import RunPaths
from harness.tables import schema, store


def tables(out: Path) -> dict[str, object]:
    """Everything that must not depend on how a study was run."""
    run = RunPaths(out, "small")
    units = {path.name for path in run.units.iterdir()}
    trials = store.read(run.table("trials"), schema.TRIALS).drop(columns=list(schema.TRIALS.volatile))
    epochs = store.read(run.table("epochs"), schema.EPOCHS).drop(columns=list(schema.EPOCHS.volatile))
    predictions = {
        (unit, file.name): file.read_bytes() for unit in units for file in run.unit(unit).folder.glob("predictions-*")
    }
    return {
        "trials": trials.to_csv(),
        "epochs": epochs.to_csv(),
        "predictions": predictions,
        "metrics": run.table("metrics").read_bytes(),
        "markdown": run.output("leaderboard.md").read_text(),
        "csv": run.output("leaderboard.csv").read_text(),
    }


def assert_same(one: dict[str, object], other: dict[str, object]) -> None:
    for name in one:
        assert one[name] == other[name], f"{name} differs"


@pytest.fixture(scope="module")
def reference(tmp_path_factory, root, environment) -> Path:
    """The study run locally, one unit after another: what every other way must equal."""
    import yaml

    folder = tmp_path_factory.mktemp("reference")
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump({**STUDY, "dataset": {**STUDY["dataset"], "root": str(root)}}))
    command = [sys.executable, "-m", "harness.cli", "run", study, "--local", "--plain", "--out", folder / "runs"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "runs"


def test_the_local_run_leaves_complete_tables_and_outputs(reference):
    run = RunPaths(reference, "small")
    trials = store.read(run.table("trials"), schema.TRIALS)
    assert len(trials) == NUM_UNITS
    assert set(trials["status"]) == {"done"}
    assert trials.groupby("method")["chosen"].any().all()
    metrics = store.read(run.table("metrics"), schema.METRICS)
    conditions = metrics[["perturbation", "severity"]].drop_duplicates()
    assert len(conditions) == 1 + 2 * 2
    html = run.output("report.html").read_text()
    assert "<svg" in html
    assert not any(mark in html for mark in ('src="http', 'href="http', "url(http", "@import"))
    assert "hdf" in run.output("leaderboard.md").read_text()
    assert len(pd.read_csv(run.output("leaderboard.csv"))) == 2


def test_search_units_hold_no_test_predictions(reference):
    run = RunPaths(reference, "small")
    trials = store.read(run.table("trials"), schema.TRIALS)
    for trial_id, phase in zip(trials["trial_id"], trials["phase"], strict=True):
        tested = list(run.unit(trial_id).folder.glob("predictions-test*"))
        assert bool(tested) == (phase == "confirm")
        assert run.unit(trial_id).audit.exists() == (phase == "confirm")


@pytest.mark.slow
def test_ray_tune_gives_the_same_tables_row_for_row(reference, write_study, dferbench, tmp_path):
    done = dferbench("run", write_study(), "--plain", "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(tables(reference), tables(tmp_path / "runs"))
    assert f"{NUM_UNITS} trials trained now, 0 found finished" in done.stdout
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "units").rglob("*")}
    again = dferbench("run", write_study(), "--plain", "--out", tmp_path / "runs")
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"0 trials trained now, {NUM_UNITS} found finished" in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "units").rglob("*")}
    assert_same(tables(reference), tables(tmp_path / "runs"))


@pytest.mark.slow
def test_a_study_killed_half_way_and_run_again_gives_the_same_tables(
    reference, write_study, dferbench, environment, tmp_path
):
    out = tmp_path / "runs"
    command = [sys.executable, "-m", "harness.cli", "run", str(write_study()), "--plain", "--out", str(out)]
    driver = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 200
    while len(list(out.glob("units/*/record.json"))) < NUM_UNITS // 2 and time.monotonic() < deadline:
        assert driver.poll() is None, "the study ended before it could be killed"
        time.sleep(0.05)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    assert not (out / "small" / "report.html").exists()
    done = dferbench("run", write_study(), "--plain", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(tables(reference), tables(out))
    assert not list(out.glob("units/.*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["--local", "--slots=2"])
def test_a_study_told_to_stop_says_so_and_leaves_no_process_behind(sent, executor, write_study, environment, tmp_path):
    training = {"epochs": 100_000, "batch_size": 8}
    study = write_study(training=training, search=None, methods={"lstm": STUDY["methods"]["lstm"]})
    command = [sys.executable, "-m", "harness.cli", "run", str(study), "--plain", "--out", str(tmp_path), executor]
    mark = f"DFERBENCH_TEST_MARK={tmp_path}"
    driver = subprocess.Popen(
        command,
        env={**environment, "DFERBENCH_TEST_MARK": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in driver.stdout:
        if "starts" in line:
            break
    time.sleep(2)
    assert living_with(mark)
    driver.send_signal(sent)
    _, complaint = driver.communicate(timeout=60)
    assert driver.returncode == 130, complaint
    assert "the same command goes on from here" in complaint
    assert not list(tmp_path.glob("units/*/record.json"))
    deadline = time.monotonic() + 20
    while living_with(mark) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not living_with(mark)


def test_a_condition_added_later_runs_and_only_it(reference, write_study, dferbench, tmp_path):
    import shutil

    out = tmp_path / "runs"
    shutil.copytree(reference, out)
    run = RunPaths(out, "small")
    before = {path: path.read_bytes() for path in out.glob("units/*/*")}
    stress = {"perturbations": ["gaussian_noise", "frame_drop", "gaussian_blur"], "severities": [1, 5]}
    done = dferbench("run", write_study(stress=stress), "--local", "--plain", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(path.read_bytes() == content for path, content in before.items()), "a finished file was touched"
    added = set(out.glob("units/*/predictions-*")) - set(before)
    assert len(added) == 2 * 4, (
        "for each confirmed trial a file of the kept network, and one of the others in its audit"
    )
    for file in added:
        assert set(store.read_columns(file, ["perturbation"])["perturbation"]) == {"gaussian_blur"}
    metrics = store.read(run.table("metrics"), schema.METRICS)
    assert "gaussian_blur" in set(metrics["perturbation"])


def test_two_drivers_of_one_study_do_not_mix(reference, write_study, dferbench):
    import fcntl

    with RunPaths(reference, "small").lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = dferbench("run", write_study(), "--local", "--plain", "--out", reference)
    assert done.returncode == 2
    assert "is being run" in done.stderr


def test_the_report_is_made_again_from_the_tables_alone(reference, write_study, dferbench):
    run = RunPaths(reference, "small")
    markdown = run.output("leaderboard.md").read_text()
    run.output("leaderboard.md").unlink()
    done = dferbench("report", write_study(), "--out", reference)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run.output("leaderboard.md").read_text() == markdown


def test_an_unreadable_clip_is_an_error_or_is_dropped_and_listed(root, write_study, dferbench, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(root, broken)
    clip = broken / "Clip" / "clip_224x224_mp4" / "00004.mp4"
    clip.write_bytes(clip.read_bytes()[:600])
    (broken / "Clip" / "clip_224x224_mp4" / "00009.mp4").unlink()
    dataset = {"name": "dfew", "classes": STUDY["dataset"]["classes"], "root": str(broken)}
    short = {
        "methods": {"lstm": STUDY["methods"]["lstm"]},
        "search": None,
        "folds": [1],
        "training": {"epochs": 1, "batch_size": 8},
    }
    done = dferbench("run", write_study(dataset=dataset, **short), "--local", "--plain", "--out", tmp_path / "runs")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "00009" in done.stderr
    assert not list(tmp_path.glob("runs/units/*"))
    dropping = {**dataset, "on_bad_clip": "drop"}
    done = dferbench("run", write_study(dataset=dropping, **short), "--local", "--plain", "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stdout + done.stderr
    described = json.loads(RunPaths(tmp_path / "runs", "small").dataset_file.read_text())
    assert sorted(described["excluded"]) == ["00004", "00009"]
    assert described["num_clips"] == 30
    assert "00004" in RunPaths(tmp_path / "runs", "small").output("report.html").read_text()
