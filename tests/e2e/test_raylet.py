"""Ray itself may die under a study; the study goes on by itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import STUDY

from harness.paths import RunPaths
from harness.tables import schema, store


def raylets_under(parent: int) -> list[int]:
    """Raylets that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            mine = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent
            if mine and b"/raylet/raylet" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_a_study_whose_raylet_is_killed_starts_ray_again_and_ends(write_study, environment, tmp_path):
    study = write_study(
        search=None, methods={"lstm": STUDY["methods"]["lstm"]}, training={"epochs": 40, "batch_size": 8}
    )
    command = [sys.executable, "-m", "harness.cli", "run", str(study), "--plain", "--slots=1", "--out", str(tmp_path)]
    driver = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in driver.stdout:
        if "epoch" in line:
            break
    (raylet,) = raylets_under(driver.pid)
    os.kill(raylet, signal.SIGKILL)
    printed, complaint = driver.communicate(timeout=400)
    assert driver.returncode == 0, printed + complaint
    trials = store.read(RunPaths(tmp_path, "small").table("trials"), schema.TRIALS)
    assert set(trials["status"]) == {"done"}
