"""Whole searches that race over folds, halt at epochs or have several objectives: on Ray, locally and interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from test_a_study import assert_same, tables
from tiny_clips import textured_frames, write_dfew_lists, write_video

from harness.paths import RunPaths
from harness.tables import schema, store

NET = {"name": "resnet18_lstm", "width": 4, "hidden": 8, "layers": 1}
STUDY = {
    "name": "small",
    "question": "Does a search do the same wherever it runs?",
    "folds": [1, 2, 3],
    "seeds": [0],
    "clip": {"frames": 2, "size": 32, "max_stored_frames": 12, "augment": []},
    "training": {"epochs": 2, "batch_size": 4, "warmup_epochs": 0},
    "methods": {
        "net": {
            "model": NET,
            "optimizer": {"learning_rate": 0.02},
            "search": {"optimizer.learning_rate": {"log_uniform": [1e-9, 0.02]}},
            "points": [{"optimizer.learning_rate": 1e-9}, {"optimizer.learning_rate": 0.001}],
        }
    },
    "stress": {"perturbations": ["frame_drop"], "severities": [3], "audit": False},
}
RACE = {"configurations": 6, "parallel": 3, "epochs": 4, "racing": {"rule": "paired", "margin": 0.0}}
SEARCHES = {
    "asha": {**RACE, "stopping": {"rule": "asha", "first_epoch": 1, "factor": 2}},
    "median": {**RACE, "sampler": "random", "stopping": {"rule": "median", "first_epoch": 2, "factor": 2}},
    "objectives": {
        "configurations": 3,
        "parallel": 2,
        "epochs": 1,
        "metrics": ["uar", "war", "validation_robustness", "cost"],
    },
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Forty clips; the brighter half is the second class, so that a few steps tell them apart."""
    folder = tmp_path_factory.mktemp("bright") / "DFEW"
    labels = {f"{number:05d}": 1 + 2 * (number % 2) for number in range(1, 41)}
    write_dfew_lists(folder, labels)
    for number, (clip_id, label) in enumerate(labels.items()):
        frames = textured_frames(4, size=32, seed=number) // 4 + 64 * (label - 1)
        write_video(folder / "Clip" / "clip_224x224_mp4" / f"{clip_id}.mp4", frames)
    return folder


@pytest.fixture(scope="module")
def local(data, environment, tmp_path_factory):
    """Run a search locally, once: its study file and its runs folder."""
    made: dict[str, tuple[Path, Path]] = {}

    def run(name: str) -> tuple[Path, Path]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            dataset = {"name": "dfew", "classes": ["Happy", "Neutral"], "root": str(data)}
            study, out = folder / "study.yaml", folder / "runs"
            study.write_text(yaml.safe_dump({**STUDY, "dataset": dataset, "search": SEARCHES[name]}))
            command = [sys.executable, "-m", "harness.cli", "run", str(study), "--local", "--plain", "--out", str(out)]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            made[name] = study, out
        return made[name]

    return run


def search_table(out: Path) -> str:
    return store.read(RunPaths(out, "small").table("search"), schema.SEARCH).to_csv()


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_on_ray_is_the_search_done_locally(name, local, dferbench, tmp_path):
    study, reference = local(name)
    done = dferbench("run", study, "--plain", "--slots", 2, "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(tables(reference), tables(tmp_path))
    assert search_table(reference) == search_table(tmp_path)
    table = store.read(RunPaths(tmp_path, "small").table("search"), schema.SEARCH)
    assert table["chosen"].sum() == 1
    fates = set(table["status"])
    assert fates == {"complete"} if name == "objectives" else fates == {"complete", "stopped", "raced_out"}


@pytest.mark.slow
@pytest.mark.parametrize("finished", [2, 9])
def test_a_search_killed_between_its_halts_and_races_goes_on_as_if_nothing_had_been(
    finished, local, dferbench, environment, tmp_path
):
    study, reference = local("asha")
    command = [sys.executable, "-m", "harness.cli", "run", str(study), "--plain", "--slots=2", "--out", str(tmp_path)]
    driver = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 200
    while len([*tmp_path.glob("units/*/record.json"), *tmp_path.glob("units/*/*/record.json")]) < finished:
        assert driver.poll() is None, "the study ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    done = dferbench("run", study, "--plain", "--slots", 1, "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(tables(reference), tables(tmp_path))
    assert search_table(reference) == search_table(tmp_path)
