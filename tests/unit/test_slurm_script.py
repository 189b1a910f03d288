"""The Slurm script run by bash, with stand-ins for Slurm's and Ray's programs that write down what they were told."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.schedule.cluster.launch.manifest import LaunchOptions, manifest
from harness.spec.load import parse_study

TEXT = """\
name: my_study
question: Is it told in time?
dataset: {name: synthetic}
folds: [1, 2, 3, 4]
resources: {cpus: 2}
methods:
  x3d: {model: {name: x3d}}
"""
STAND_INS = {
    # Ray refuses to make a token while a path to one that does not exist is given.
    "ray": """
        echo "ray $*" >> "$LOG"
        if [[ $1 == stop ]]; then exit 0; fi
        [[ -s ${RAY_AUTH_TOKEN_PATH-$0} ]] || exit 1
        mkdir -p "$HOME/.ray"
        umask 022
        echo t > "$HOME/.ray/auth_token"
    """,
    "srun": 'echo "srun $*" >> "$LOG"; while [[ $1 != -- ]]; do shift; done; "${@:2}"',
    "dferbench": """
        echo "dferbench $*" >> "$LOG"
        if [[ $1 == stop ]]; then touch "$HOME/stopped"; exit 0; fi
        touch "$HOME/started"
        until [[ -e $HOME/stopped ]]; do sleep 0.05; done
        exit "$ENDS"
    """,
    "scontrol": """
        echo "scontrol $*" >> "$LOG"
        if [[ $1 == show ]]; then echo "JobId=17 JobState=$STATE Reason=None PreemptTime=$PREEMPTED Power="; fi
    """,
    "hostname": "if [[ $1 == --ip-address ]]; then echo 127.0.1.1; else echo 'fd00::7 10.0.0.7'; fi",
}
"""A driver runs until it is told to stop."""
USED = ("bash", "chmod", "env", "grep", "mkdir", "rm", "sed", "sleep", "touch", "tr")


class Job(NamedTuple):
    """A script and what it runs in.

    Attributes:
        script: the file.
        home: of the user; ``started`` in it tells that the driver runs.
        programs: the stand-ins, and no other program than those that the script may use.
        variables: the environment.
    """

    script: Path
    home: Path
    programs: Path
    variables: dict[str, str]

    def put(self, name: str, body: str) -> None:
        """Another stand-in."""
        (self.programs / name).unlink(missing_ok=True)  # may be a link to the real one
        (self.programs / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (self.programs / name).chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(["bash", self.script], env=self.variables, stderr=subprocess.PIPE, text=True)

    def told(self) -> str:
        """What the stand-ins were told."""
        return Path(self.variables["LOG"]).read_text()


def wait_for(path: Path, job: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert job.poll() is None
        time.sleep(0.01)


@pytest.fixture
def job(tmp_path) -> Job:
    """A job on two machines, of a user who has no token yet."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    for name in USED:
        (programs / name).symlink_to(Path("/usr/bin") / name)
    file = tmp_path / "a study.yaml"
    file.write_text(TEXT)
    text = manifest("slurm", parse_study(TEXT, "s"), file, LaunchOptions(nodes=2, out="/shared/my runs"))
    script = tmp_path / "job.sh"
    script.write_text(text.replace("/tmp/ray-", f"{tmp_path}/ray-"))  # noqa: S108
    variables = {"PATH": str(programs), "HOME": str(home), "SLURM_JOB_ID": "17", "LOG": str(tmp_path / "log")}
    found = Job(script, home, programs, variables | {"ENDS": "130", "STATE": "RUNNING", "PREEMPTED": "None"})
    for name, body in STAND_INS.items():
        found.put(name, body)
    return found


@pytest.mark.parametrize(
    ("ends", "state", "again"),
    [
        (130, "RUNNING", True),
        (0, "RUNNING", False),
        (1, "RUNNING", False),
        (2, "RUNNING", False),
        (130, "COMPLETING", False),
    ],
)
def test_a_job_told_that_time_is_up_ends_in_good_order_and_requeues_unless_it_is_over_or_cancelled(
    ends, state, again, job
):
    job.variables.update(ENDS=str(ends), STATE=state)
    with job.start() as running:
        wait_for(job.home / "started", running)
        running.send_signal(signal.SIGUSR1)
        assert running.wait(timeout=20) == ends
    assert "dferbench stop" in job.told()
    assert ("scontrol requeue 17" in job.told()) == again


def test_a_job_told_that_time_is_up_before_the_driver_has_begun_goes_back_into_the_queue(job):
    job.put("srun", 'touch "$HOME/started"; sleep 600 & wait; exit 1')
    job.put("dferbench", "exit 2")
    with job.start() as running:
        wait_for(job.home / "started", running)
        running.send_signal(signal.SIGUSR1)
        assert running.wait(timeout=20) == 130
    assert "scontrol requeue 17" in job.told()


@pytest.mark.parametrize("said", ["130", ""])
def test_a_job_whose_steps_alone_were_told_that_others_go_first_goes_back_into_the_queue(said, job):
    """The driver may have been killed before its exit code was written."""
    job.variables["PREEMPTED"] = "2026-11-28T14:50:00"
    job.put("srun", f"echo {said} > {job.script.parent}/ray-17/exit-code; exit 143" if said else "exit 143")
    with job.start() as running:
        assert running.wait(timeout=20) == 130
    assert "scontrol requeue 17" in job.told()


def test_a_run_that_somebody_stopped_is_not_begun_again(job):
    (job.home / "stopped").touch()
    with job.start() as running:
        assert running.wait(timeout=20) == 130
    assert "scontrol requeue" not in job.told()


def test_a_second_signal_does_not_take_the_end_of_the_first_away(job):
    job.put("dferbench", STAND_INS["dferbench"].replace("touch", "sleep 0.3; touch"))
    with job.start() as running:
        wait_for(job.home / "started", running)
        running.send_signal(signal.SIGUSR1)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 130
    assert job.told().count("scontrol requeue 17") == 1


def test_a_job_whose_driver_never_began_fails_though_ray_says_that_all_is_well(job):
    job.put("srun", "exit 0")
    with job.start() as running:
        assert running.wait(timeout=20) == 1
        assert "did not begin" in running.stderr.read()


def test_a_job_whose_step_was_killed_leaves_no_ray_behind(job):
    job.put("srun", 'echo "srun" >> "$LOG"; kill -KILL $$')
    with job.start() as running:
        assert running.wait(timeout=20) == 1
    assert job.told().splitlines()[-2].startswith("ray stop --force")


def test_the_exit_code_of_an_earlier_run_of_the_job_is_not_taken_for_this_one(job):
    folder = job.script.parent / "ray-17"
    folder.mkdir()
    (folder / "exit-code").write_text("0\n")
    job.put("srun", "exit 0")
    with job.start() as running:
        assert running.wait(timeout=20) == 1


def test_the_exit_code_is_the_drivers_whatever_became_of_the_other_machines(job):
    (job.home / "stopped").touch()
    job.variables["ENDS"] = "0"
    job.put("srun", STAND_INS["srun"] + "\nexit 137")
    with job.start() as running:
        assert running.wait(timeout=20) == 0


def test_the_first_job_of_a_user_makes_a_token_that_nobody_else_can_read(job):
    (job.home / "stopped").touch()
    with job.start() as running:
        assert running.wait(timeout=20) == 130
    assert (job.home / ".ray" / "auth_token").stat().st_mode & 0o777 == 0o600


def test_machines_are_given_an_address_that_is_not_loopback_and_no_fewer_processors_than_they_have(job):
    """Some versions of srun read the job's number of processors per task and take the others away from the step."""
    (job.home / "stopped").touch()
    job.variables.update(SLURM_CPUS_PER_TASK="4")
    job.put("srun", 'echo "srun ${SLURM_CPUS_PER_TASK-all} $*" >> "$LOG"')
    with job.start() as running:
        running.wait(timeout=20)
    assert "--address 10.0.0.7:6379" in job.told()
    assert "srun all " in job.told()
    assert "--cpu-bind=none " in job.told()
    assert "--num-cpus 4 " in job.told()


@pytest.mark.parametrize(("number", "starts"), [("0", 1), ("1", 3)])
def test_a_machine_whose_ray_ends_joins_again_unless_it_is_the_first(number, starts, job):
    """The first machine's number is 0; another is ended by srun, here by the third start of its Ray."""
    job.variables.update(SLURM_NODEID=number)
    job.put("srun", 'while [[ $1 != bash ]]; do shift; done; exec "$@"')
    job.put("sleep", "exit 0")
    job.put(
        "ray", 'echo "ray $1" >> "$LOG"; if (($(grep -c symmetric- "$LOG") == 3)); then kill -KILL $PPID; fi; exit 0'
    )
    (job.home / ".ray").mkdir()
    (job.home / ".ray" / "auth_token").write_text("t")
    with job.start() as running:
        running.wait(timeout=20)
    told = [line.split()[1] for line in job.told().splitlines() if line.startswith("ray ")]
    assert told[: 2 * starts] == ["stop", "symmetric-run"] * starts, (
        "what a killed job has left of Ray would keep it from starting"
    )


def test_the_virtual_environment_is_activated_whatever_its_name(job, monkeypatch):
    folder = job.home / "it's mine" / "bin"
    folder.mkdir(parents=True)
    (folder / "activate").write_text('touch "$HOME/activated" "$HOME/stopped"')
    monkeypatch.setenv("VIRTUAL_ENV", str(folder.parent))
    command = [sys.executable, "-m", "harness.cli", "launch", "slurm", job.home.parent / "a study.yaml"]
    subprocess.run([*command, "--out", job.home / "runs", "-o", job.script], check=True, stdout=subprocess.DEVNULL)
    job.script.write_text(job.script.read_text().replace("/tmp/ray-", f"{job.home}/ray-"))  # noqa: S108
    with job.start() as running:
        running.wait(timeout=20)
    assert (job.home / "activated").exists()
