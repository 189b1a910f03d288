"""The soak of benchmarks/soak.py in small: one fault, and the tables of an undisturbed run after it."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[2] / "benchmarks" / "soak.py"


@pytest.mark.slow
def test_a_study_whose_worker_is_killed_ends_with_the_same_tables(environment):
    command = [sys.executable, str(SOAK), "--faults", "1", "--kinds", "kill_worker"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 faults, 0 failed" in done.stdout
    assert "strikes: 1 (kill_worker 1 of 1)" in done.stdout
