"""A small real data set (h264 files in DFEW's layout) and a study on it that trains in seconds."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from tiny_clips import textured_frames, write_dfew_lists, write_video

import harness.schedule.forecasting.forecast  # noqa: F401 - what the command line imports late draws random numbers when imported
from harness.cli import main

CLASSES = ["Happy", "Neutral"]
STUDY = {
    "name": "small",
    "question": "Does the line hold?",
    "dataset": {"name": "dfew", "classes": CLASSES},
    "folds": [1, 2],
    "seeds": [0],
    "clip": {"frames": 4, "size": 32, "max_stored_frames": 12},
    "training": {"epochs": 2, "batch_size": 8, "warmup_epochs": 0},
    "methods": {
        "hdf": {
            "model": {"name": "hdf", "width": 0.5, "depth": 1.0},
            "objective": {"name": "dsm", "eta": 0.2, "tau": 0.1},
            "optimizer": {"learning_rate": 0.003, "sam": {"rho": 0.05}},
            "search": {"objective.eta": {"uniform": [0.1, 0.5]}, "optimizer.sam.rho": {"log_uniform": [0.01, 0.2]}},
        },
        "lstm": {"model": {"name": "resnet18_lstm", "width": 8, "hidden": 8, "layers": 1}},
    },
    "search": {"configurations": 2, "parallel": 1, "epochs": 1},
    "stress": {"perturbations": ["gaussian_noise", "frame_drop"], "severities": [1, 5]},
}
NUM_UNITS = 2 * 2 + 2 + 2


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    """Thirty-two clips of two classes that move in different ways."""
    folder = tmp_path_factory.mktemp("data") / "DFEW"
    labels = {f"{number:05d}": label for number, label in enumerate(itertools.islice(itertools.cycle((1, 3)), 32), 1)}
    write_dfew_lists(folder, labels)
    for number, (clip_id, label) in enumerate(labels.items()):
        frames = textured_frames(10, size=32, seed=number)
        moved = frames if label == 1 else np.repeat(frames[:1], 10, axis=0)
        write_video(folder / "Clip" / "clip_224x224_mp4" / f"{clip_id}.mp4", moved)
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> dict[str, str]:
    """Caches of the tests' own."""
    cache = str(tmp_path_factory.mktemp("cache"))
    return {**os.environ, "DFERBENCH_CACHE": cache, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture
def write_study(root, tmp_path):
    """Write a study file; keyword arguments replace top-level keys."""

    def write(name: str = "study.yaml", **changes) -> Path:
        data = {**STUDY, **changes}
        if "root" not in data["dataset"] and data["dataset"]["name"] == "dfew":
            data["dataset"] = {**data["dataset"], "root": str(root)}
        path = tmp_path / name
        path.write_text(yaml.safe_dump({key: value for key, value in data.items() if value is not None}))
        return path

    return write


@pytest.fixture
def invoke(environment, monkeypatch, capsys):
    """Run the command line in this process: its exit code, what it printed, and what it complained of."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dferbench", *map(str, arguments)])
        for name in ("DFERBENCH_CACHE", "COLUMNS", "NO_COLOR"):
            monkeypatch.setenv(name, environment[name])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture
def dferbench(environment):
    """Run the command line in a process of its own."""

    def run(*arguments: object, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment,
            check=False,
        )

    return run
