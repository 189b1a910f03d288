"""The Slurm script on a real Slurm, if one answers; it needs an idle machine that sees the temporary folder and Python.

Most of its time goes into starting and stopping Ray, twice.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import STUDY
from test_a_study import assert_same, tables

ONE_TRAINING = {
    "folds": [1],
    "methods": {"lstm": STUDY["methods"]["lstm"]},
    "search": None,
    "training": {"epochs": 80, "batch_size": 8, "warmup_epochs": 0},
    "stress": {"perturbations": ["frame_drop"], "severities": [3]},
    "resources": {"cpus": 1, "memory_mb": 1000},
}
GOING_ON = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED"}


@pytest.fixture(scope="module", autouse=True)
def _slurm_answers():
    try:
        asked = subprocess.run(["sinfo", "--noheader"], capture_output=True, text=True, check=False, timeout=20)
    except FileNotFoundError:
        pytest.skip("Slurm is not installed here: there is no sinfo")
    except subprocess.TimeoutExpired:
        pytest.skip("Slurm does not answer: sinfo took more than 20 seconds")
    if asked.returncode:
        pytest.skip(f"Slurm does not answer: {asked.stderr.strip().splitlines()[-1]}")


class Job(NamedTuple):
    """A job that was handed over."""

    number: str
    log: Path
    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """What one of Slurm's programs says."""
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def known(self) -> dict[str, str]:
        """What Slurm knows of it."""
        return dict(
            word.split("=", 1) for word in self.ask("scontrol", "show", "job", self.number).split() if "=" in word
        )

    @property
    def printed(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def wait(self, until: Callable[[], bool]) -> None:
        """Look twice a second; a job that has ended will not get there."""
        while not until():
            state = self.known["JobState"]
            assert state in GOING_ON or until(), f"{state}\n{self.printed}"
            time.sleep(0.5)

    @property
    def ended(self) -> bool:
        return self.known["JobState"] not in GOING_ON


@pytest.fixture
def submit(dferbench, environment, tmp_path):
    """Hand a study over as a user would; whatever is left of it is cancelled."""
    jobs: list[Job] = []

    def run(study: Path, out: Path) -> Job:
        script = tmp_path / "job.sh"
        setup = f"export PATH='{Path(sys.executable).parent}':\"$PATH\""
        options = ["--slots=1", "--hours=1", "--out", out, "--setup", setup, "-o", script]
        written = dferbench("launch", "slurm", study, *options)
        assert written.returncode == 0, written.stderr
        here = {**environment, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = ["sbatch", "--parsable", f"--chdir={tmp_path}", script]
        number = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=here, check=True).stdout
        jobs.append(Job(number.split(";")[0].strip(), tmp_path / f"dferbench-small-{number.strip()}.log", here))
        return jobs[-1]

    yield run
    for job in jobs:
        subprocess.run(["scancel", job.number], check=False)


@pytest.mark.slow
def test_a_job_told_that_time_is_up_requeues_and_ends_with_the_tables_of_a_local_run(
    submit, write_study, dferbench, tmp_path
):
    study, out = write_study("a study.yaml", **ONE_TRAINING), tmp_path / "my runs"
    job = submit(study, out)
    job.wait(lambda: "starts" in job.printed)
    job.ask("scancel", "--signal=USR1", "--batch", job.number)
    job.wait(lambda: job.known["Restarts"] == "1")
    time.sleep(3)  # Slurm holds it for two minutes; a machine refuses it in the very second in which it gave it back
    job.ask("scontrol", "update", f"JobId={job.number}", "StartTime=now")
    job.wait(lambda: job.ended)
    assert (job.known["JobState"], job.known["ExitCode"]) == ("COMPLETED", "0:0"), job.printed
    local = dferbench("run", study, "--local", "--plain", "--out", tmp_path / "local")
    assert local.returncode == 0, local.stdout + local.stderr
    assert_same(tables(tmp_path / "local"), tables(out))
