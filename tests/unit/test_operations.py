"""Drivers keep each other out, stop ends one, and retry forgets failures; nothing of a living driver is touched."""

import errno
import fcntl
import io
import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from begun_study import publish, started, unstarted, write_record
from rich.console import Console

from harness.cli import main
from harness.errors import HarnessError, StorageError
from harness.paths import RunPaths
from harness.schedule.operate import driver as driver_module
from harness.schedule.operate.driver import Driver, driver_of, exclusive
from harness.schedule.operate.publisher import Publisher
from harness.schedule.operate.retrying import clear
from harness.schedule.operate.status import read_status
from harness.schedule.operate.stop import stop
from harness.tables.store import write_text


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    return unstarted(tmp_path, monkeypatch)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def test_a_driver_of_another_host_lives_as_long_as_it_writes(run, console):
    started(run, console)
    publish(run, host="elsewhere")
    assert driver_of(run) is not None
    long_ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    publish(run, updated=long_ago)
    assert driver_of(run) is None


@pytest.fixture
def passing(monkeypatch):
    """Time that passes only when somebody waits; what happens meanwhile."""
    seconds, happens = [0.0], []

    def sleep(duration: float) -> None:
        seconds[0] += duration
        for one in happens:
            one()

    monkeypatch.setattr(driver_module.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(driver_module.time, "sleep", sleep)
    return happens


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(minutes=30)], ids=["clocks agree", "its clock is behind"])
def test_a_driver_of_another_host_that_writes_is_not_joined_where_its_lock_cannot_be_seen(
    behind, run, console, passing
):
    started(run, console)
    publish(run, host="elsewhere", updated=(datetime.now(UTC) - behind).isoformat())
    passing.append(lambda: publish(run, updated=f"{datetime.now(UTC) - behind}"))
    with pytest.raises(HarnessError, match=r"is being run in .* on elsewhere"), exclusive(run):
        pass


@pytest.mark.parametrize("last", [{}, {"state": "interrupted"}, {"updated": "2026-01-01T00:00:00+00:00"}])
def test_a_driver_of_another_host_that_is_silent_or_has_ended_keeps_nobody_out(last, run, console, passing):
    started(run, console)
    publish(run, host="elsewhere", **last)
    waits = []
    passing.append(lambda: waits.append(1))
    with exclusive(run):
        assert driver_of(run) == Driver(os.getpid(), socket.gethostname())
    assert (len(waits) >= driver_module.SILENT_SECONDS / 2) == (not last), "only one that may live is listened for"


def test_a_driver_whose_place_was_taken_ends_and_writes_nothing_more(run):
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(run.root), run.study], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    run.lock.write_text("1 elsewhere\n")
    assert process.wait(10) == 130
    process.stdout.close()
    assert json.loads(run.progress.read_text())["state"] == "preparing", "it is not its place to say what it did"


def test_looking_at_the_lock_does_not_keep_a_driver_out(run, monkeypatch):
    run.folder.mkdir()
    with run.lock.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        monkeypatch.setattr(driver_module.time, "sleep", lambda seconds: seconds and fcntl.flock(file, fcntl.LOCK_UN))
        with exclusive(run):
            assert driver_of(run) == Driver(os.getpid(), socket.gethostname())


def test_a_second_driver_is_refused_and_told_who_the_first_is(run):
    with exclusive(run), pytest.raises(HarnessError, match=f"by process {os.getpid()} on"), exclusive(run):
        pass


def test_a_folder_without_locks_is_not_taken_for_one_in_which_a_driver_runs(run, monkeypatch):
    def flock(file: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(driver_module.fcntl, "flock", flock)
    with pytest.raises(StorageError, match=r"cannot be locked \(No locks available\).* --out"), exclusive(run):
        pass


DRIVER = """
import sys, time
from pathlib import Path
from harness.paths import RunPaths
from harness.schedule.operate.driver import exclusive
from harness.schedule.operate.publisher import Publisher
from harness.schedule.signals import interrupt_on_sigterm
run = RunPaths(Path(sys.argv[1]), sys.argv[2])
interrupt_on_sigterm()
try:
    with exclusive(run), Publisher(run, {}):
        print("ready", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("reached_by", ["signal", "file"])
def test_stop_ends_a_driver_by_signal_or_from_another_host_by_a_file(run, reached_by, monkeypatch):
    if reached_by == "file":
        monkeypatch.setattr(Driver, "here", property(lambda self: False))
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(run.root), run.study], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    ended = stop(run, 30.0)
    assert ended.pid == process.pid
    assert process.wait(10) == 130
    process.stdout.close()
    assert json.loads(run.progress.read_text())["state"] == "interrupted"
    assert not run.stop_request.exists()


def test_stop_says_when_there_is_nothing_to_stop_or_the_driver_does_not_end(run):
    with pytest.raises(HarnessError, match="There is nothing to stop"):
        stop(run, 1.0)
    deaf = subprocess.Popen(["sleep", "30"])
    with exclusive(run):
        run.lock.write_text(f"{deaf.pid} {socket.gethostname()}\n")
        with pytest.raises(HarnessError, match="still runs study"):
            stop(run, 0.1)
    assert deaf.wait(10) == -signal.SIGTERM


def test_a_request_to_stop_an_earlier_driver_does_not_stop_the_next(run):
    write_text("", run.stop_request)
    with exclusive(run), Publisher(run, {}):
        assert not run.stop_request.exists()


def test_retry_clears_failures_and_diverged_trials_only_when_asked(run, console):
    brain = started(run, console)
    done, failed, diverged = [unit.trial.trial_id for unit in brain.units.values()][:3]
    write_record(run, done)
    write_text(json.dumps({"error": "x", "attempts": 1}), run.unit(failed).failure)
    write_record(run, diverged, status="diverged")
    cleared = clear(run, failed=True, diverged=False)
    assert [one.trial_id for one in cleared.failed] == [failed]
    assert run.unit(diverged).folder.exists()
    cleared = clear(run, failed=True, diverged=True)
    assert ([one.trial_id for one in cleared.failed], [one.trial_id for one in cleared.diverged]) == ([], [diverged])
    assert not run.unit(diverged).folder.exists()
    assert run.unit(done).record.exists()
    assert list(run.units.iterdir()) == [run.unit(done).folder]


def test_a_trial_whose_worker_left_no_trace_has_failed_until_it_is_retried(run, console):
    brain = started(run, console)
    unit = next(iter(brain.units.values()))
    publish(run, failed={unit.key: "the worker died"})
    assert read_status(run).counts["failed"] == 1
    assert read_status(run).errors[-1]["error"] == "the worker died"
    assert [one.trial_id for one in clear(run, failed=True, diverged=False).failed] == [unit.trial.trial_id]
    assert read_status(run).counts["failed"] == 0


def test_a_failed_trial_that_is_tried_again_is_running(run, console):
    brain = started(run, console)
    unit = next(iter(brain.units.values()))
    write_text(json.dumps({"error": "x", "attempts": 1}), run.unit(unit.trial.trial_id).failure)
    assert read_status(run).counts["failed"] == 1
    with exclusive(run):
        status = read_status(run)
        assert (status.counts["running"], status.counts["failed"]) == (1, 0)


def test_retry_does_not_touch_a_study_that_is_being_run(run, console):
    brain = started(run, console)
    failed = next(iter(brain.units.values())).trial.trial_id
    write_text(json.dumps({"error": "x"}), run.unit(failed).failure)
    with exclusive(run), pytest.raises(HarnessError, match="is being run"):
        clear(run, failed=True, diverged=True)
    assert run.unit(failed).failure.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "quickstart", "--out", "nowhere"], "was not started in nowhere"),
        (["status", "quikstart"], "Known:"),
        (["stop", "quickstart", "--out", "nowhere"], "nothing to stop"),
        (["retry", "quickstart", "--out", "nowhere"], "was not started in nowhere"),
        (["clean", "--out", "nowhere"], "There is no runs folder nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["dferbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("error: ")
    assert words in complaint
    assert not list(tmp_path.iterdir()), "a question leaves nothing behind"
