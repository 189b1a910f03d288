"""What status, stop, retry and clean see and touch; nothing of a living driver, and nothing finished by mistake."""

import fcntl
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from rich.console import Console

from harness.cli import main
from harness.errors import HarnessError
from harness.paths import RunPaths, pack_folder, packs_folder, synthetic_folder
from harness.report.build import Outputs
from harness.schedule.brain import Brain
from harness.schedule.operate import driver as driver_module
from harness.schedule.operate import publisher as publisher_module
from harness.schedule.operate.cleaning import clean, in_use, listing, studies_in
from harness.schedule.operate.driver import Driver, driver_of, exclusive
from harness.schedule.operate.halted import forget_states
from harness.schedule.operate.publisher import Publisher
from harness.schedule.operate.retrying import clear
from harness.schedule.operate.status import Watcher, read_status
from harness.schedule.operate.status_text import headline, show_status
from harness.schedule.operate.stop import stop
from harness.schedule.operate.wanted import wanted_by
from harness.schedule.outcome import print_outcome
from harness.schedule.progress import Progress, Total
from harness.schedule.run import Ended
from harness.spec.load import bundled_studies, load_study
from harness.spec.trial import DataRef
from harness.tables.store import write_text

QUICKSTART = load_study(bundled_studies()["quickstart"])
STUDY = QUICKSTART.model_copy(
    update={"search": None, "methods": {name: QUICKSTART.methods[name] for name in ("x3d", "resnet18_lstm")}}
)
TOTAL = Total(4, 80)


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "runs" / "units").mkdir(parents=True)
    return RunPaths(tmp_path / "runs", STUDY.name)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def brain_of(run: RunPaths) -> Brain:
    return Brain(
        study=STUDY,
        dataset=DataRef(name="synthetic", fingerprint="abc"),
        askers={},
        is_finished=lambda unit: run.unit(unit.trial.trial_id).record.exists(),
        score=lambda unit: 0.5,
    )


def write_record(run: RunPaths, trial_id: str, *, tested: bool = True, **changes) -> None:
    record = {"status": "done", "error": "", "val_uar": 0.4, "seconds": 10.0, "created_at": "2026-01-01T00:00:00+00:00"}
    write_text(json.dumps({**record, **changes}), run.unit(trial_id).record)
    if tested:
        write_text("", run.unit(trial_id).folder / "predictions-test-v1-x.parquet")


def started(run: RunPaths, console: Console, state: str = "training") -> Brain:
    """A study that a driver began: one trial runs, all the others wait."""
    brain = brain_of(run)
    with (
        exclusive(run),
        Publisher(run, {}) as publisher,
        Progress(brain, Total(10, 100), publisher, console, True) as on,
    ):
        unit = brain.next()
        on(unit, {"kind": "started"})
        on(unit, {"kind": "epoch", "epoch": 1, "val_uar": 0.25})
    publish(run, state=state)
    return brain


def publish(run: RunPaths, **changes) -> None:
    progress = json.loads(run.progress.read_text())
    write_text(json.dumps({**progress, **changes}), run.progress)


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_study_that_was_never_started_has_no_status(run):
    with pytest.raises(HarnessError, match="was not started in"):
        read_status(run)


def test_status_while_a_driver_runs_shows_what_it_does_and_every_trial_once(run, console):
    brain = brain_of(run)
    with (
        exclusive(run),
        Publisher(run, {}) as publisher,
        Progress(brain, Total(10, 100), publisher, console, True) as on,
    ):
        publisher.tell(state="training")
        unit = brain.next()
        on(unit, {"kind": "started", "host": "node7"})
        on(unit, {"kind": "epoch", "epoch": 1, "val_uar": 0.25})
        publisher._write()
        status = read_status(run)
        assert status.state == "training"
        assert status.driver == Driver(os.getpid(), socket.gethostname())
        assert [(u["epoch"], u["epochs"], u["host"]) for u in status.running] == [
            (1, unit.trial.training.epochs, "node7")
        ]
        assert status.counts == {"running": 1, "waiting": len(brain.units) - 1}
        write_record(run, unit.trial.trial_id)
        brain.finished(unit)
        on(unit, {"kind": "ended", "status": "done"})
        publisher._write()
        status = read_status(run)
        assert status.counts["done"] == 1
        assert status.counts.total() == len(brain.units)
        assert status.running == []
    ended = read_status(run)
    assert ended.state == "finished"
    assert ended.driver is None


def test_a_killed_driver_is_told_from_one_that_was_interrupted(run, console):
    started(run, console)
    status = read_status(run)
    assert status.state == "killed"
    assert status.counts["running"] == 0, "nothing runs without a driver"
    assert "was killed; the same run command goes on" in headline(status)
    with pytest.raises(KeyboardInterrupt), exclusive(run), Publisher(run, {}):
        raise KeyboardInterrupt
    assert read_status(run).state == "interrupted"
    with pytest.raises(HarnessError), exclusive(run), Publisher(run, {}):
        raise HarnessError("no space left")
    assert read_status(run).state == "broken"
    assert read_status(run).reason == "no space left"


def test_counts_follow_storage_not_what_the_driver_remembered(run, console):
    brain = started(run, console)
    untested, diverged, failed, _ = [unit.trial.trial_id for unit in brain.units.values()]
    write_record(run, untested, tested=False)
    write_record(run, diverged, status="diverged", error="loss is nan")
    write_text(json.dumps({"error": "out of luck", "attempts": 3}), run.unit(failed).failure)
    status = read_status(run)
    assert status.counts == {"diverged": 1, "failed": 1, "waiting": 2}
    assert [error["error"] for error in status.errors] == ["out of luck", "loss is nan"]
    write_record(run, untested)
    assert read_status(run).counts["done"] == 1


def test_the_best_configuration_counts_only_with_all_of_its_folds(run, console):
    started(run, console)
    lines = [
        {"method": "hdf", "phase": "search", "configuration": number, "fold": fold, "seed": 1000, "epochs": 2}
        for number in (0, 1)
        for fold in (1, 2)
    ]
    text = "".join(json.dumps({**line, "trial_id": f"{index}" * 16}) + "\n" for index, line in enumerate(lines))
    run.wanted.write_text(run.wanted.read_text() + text)
    for index, score in ((0, 0.3), (1, 0.2), (2, 0.9)):
        write_record(run, f"{index}" * 16, val_uar=score)
    phases = {(phase.method, phase.phase): phase for phase in read_status(run).phases}
    assert phases["hdf", "search"].best == pytest.approx(0.25)
    assert phases["hdf", "search"].spent_epochs == 3 * 2
    assert phases["x3d", "confirm"].best is None


def test_clocks_that_disagree_give_no_negative_times(run, console):
    started(run, console)
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    running = json.loads(run.progress.read_text())["running"]
    publish(run, host="elsewhere", updated=future, running=[{**unit, "since": future} for unit in running])
    status = read_status(run)
    assert status.driver == Driver(os.getpid(), "elsewhere")
    assert [unit["seconds"] for unit in status.running] == [0.0]
    assert status.silent_seconds == 0.0


def test_a_driver_of_another_host_lives_as_long_as_it_writes(run, console):
    started(run, console)
    publish(run, host="elsewhere")
    assert driver_of(run) is not None
    long_ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    publish(run, updated=long_ago)
    assert driver_of(run) is None


def test_a_line_cut_off_by_a_kill_is_not_read(run, console):
    brain = started(run, console)
    text = run.wanted.read_text()
    run.wanted.write_text(text + text.splitlines()[0][:40])
    assert len(wanted_by(run)) == len(brain.units)


def test_a_burst_of_events_is_written_once(run, console, monkeypatch):
    written = []
    monkeypatch.setattr(
        publisher_module, "write_text", lambda text, path: written.append(path) or write_text(text, path)
    )
    brain = brain_of(run)
    with (
        exclusive(run),
        Publisher(run, {}) as publisher,
        Progress(brain, Total(10, 100), publisher, console, True) as on,
    ):
        unit = brain.next()
        before = written.count(run.progress)
        for epoch in range(500):
            on(unit, {"kind": "epoch", "epoch": epoch, "val_uar": 0.2})
        assert written.count(run.progress) - before <= 1


def test_finished_records_are_read_once_by_a_watcher(run, console):
    brain = started(run, console)
    unit = next(iter(brain.units.values()))
    write_record(run, unit.trial.trial_id, val_uar=0.5)
    watcher = Watcher(run)
    assert watcher.status().counts["done"] == 1
    run.unit(unit.trial.trial_id).record.write_text("{}")
    assert watcher.status().counts["done"] == 1
    run.unit(unit.trial.trial_id).record.unlink()
    assert watcher.status().counts["done"] == 0


def test_watching_ends_with_the_driver_and_json_is_one_object(run, console, capsys):
    started(run, console, state="finished")
    show_status(run, console, as_json=True, watch=False)
    content = json.loads(capsys.readouterr().out)
    assert content["state"] == "finished"
    assert content["counts"]["waiting"] == len(wanted_by(run))
    show_status(run, console, as_json=False, watch=True)
    assert capsys.readouterr().out.count("\n") == 1


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


def test_a_search_is_told_by_its_configurations_and_stopped_trainings_do_not_wait(run, console):
    started(run, console)
    line = {"method": "hdf", "phase": "search", "fold": 1, "seed": 1000, "epochs": 2}
    lines = [{**line, "configuration": number, "trial_id": f"{number}" * 16} for number in range(3)]
    run.wanted.write_text("".join(json.dumps(one) + "\n" for one in lines))
    write_record(run, "0" * 16)
    publish(run, configurations={"hdf": ["complete", "stopped", "open"]})
    (phase,) = read_status(run).phases
    assert phase.configurations == {"complete": 1, "stopped": 1, "open": 1}
    assert phase.counts == {"done": 1, "stopped": 1, "waiting": 1}


def test_retry_does_not_touch_a_study_that_is_being_run(run, console):
    brain = started(run, console)
    failed = next(iter(brain.units.values())).trial.trial_id
    write_text(json.dumps({"error": "x"}), run.unit(failed).failure)
    with exclusive(run), pytest.raises(HarnessError, match="is being run"):
        clear(run, failed=True, diverged=True)
    assert run.unit(failed).failure.exists()


def test_a_finished_study_counts_the_trials_that_it_came_to_ask_for_and_shows_none_as_running(run, console):
    brain = started(run, console)
    publish(run, total=99)
    assert "0 of 99 trials ended" in headline(read_status(run))
    for unit in brain.units.values():
        write_record(run, unit.trial.trial_id)
    publish(run, state="finished", running=[])
    assert f"{len(brain.units)} of {len(brain.units)} trials ended" in headline(read_status(run))
    show_status(run, console, as_json=False, watch=False)
    assert "running" not in console.file.getvalue()


def test_clean_lists_what_dead_processes_left_and_deletes_it_only_on_request(run, console):
    brain = started(run, console)
    finished, unfinished = [unit.trial.trial_id for unit in brain.units.values()][:2]
    write_record(run, finished)
    here, dead = socket.gethostname(), dead_pid()
    left = [
        run.units / f".{unfinished}.{here}.{dead}.0a1b2c3d.tmp",
        run.unit(finished).folder / f".predictions-test.parquet.{here}.{dead}.0a1b2c3d.tmp",
        run.folder / f".progress.json.{here}.{dead}.0a1b2c3d.tmp",
        run.unit(finished).resume,
        run.units / f"{finished}.quarantined-1",
    ]
    kept = [
        run.units / f".{unfinished}.{here}.{os.getpid()}.0a1b2c3d.tmp",
        run.units / f".{unfinished}.elsewhere.{dead}.0a1b2c3d.tmp",
        run.unit(unfinished).resume,
        run.unit(finished).record,
    ]
    for path in (*left, *kept):
        path.write_text("x" * 100) if path != run.unit(finished).record else None
    listed = clean(run.root, None, units=False, delete=False)
    assert {item.path for item in listed} == set(left)
    assert all(path.exists() for path in left), "without --yes nothing is touched"
    assert "Delete them with --yes" in listing(listed, deleted=False)
    assert sum(item.num_bytes for item in listed) == 100 * len(left)
    clean(run.root, None, units=False, delete=True)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)
    assert clean(run.root, None, units=True, delete=False) == []


def halted(run: RunPaths, trial_id: str, *epochs: int) -> None:
    """A training that a search has halted after these epochs."""
    for epoch in epochs:
        write_text(json.dumps({"status": "stopped"}), run.unit(trial_id).stopped(epoch).record)
    run.unit(trial_id).resume.write_text("x" * 100)


def test_states_of_trainings_that_a_search_gave_up_are_spare_once_it_is_over(run, console):
    brain = started(run, console)
    given_up, failed, finished = [unit.trial.trial_id for unit in brain.units.values()][:3]
    for trial_id in (given_up, failed):
        halted(run, trial_id, 1, 3)
    write_text(json.dumps({"error": "e"}), run.unit(failed).failure)
    write_record(run, finished)
    assert clean(run.root, None, units=False, delete=False) == [], "it may go on"
    publish(run, state="finished")
    listed = clean(run.root, run, units=False, delete=False)
    assert {item.path for item in listed} == {run.unit(given_up).resume, run.unit(given_up).stopped(1).folder}
    assert listed == clean(run.root, None, units=False, delete=False)
    other = RunPaths(run.root, "other")
    other.folder.mkdir()
    other.lock.write_text("")
    other.wanted.write_bytes(run.wanted.read_bytes())
    other.progress.write_text("{}")
    assert clean(run.root, None, units=False, delete=False) == [], "another study may go on from it"
    publish(other, state="finished")
    clean(run.root, None, units=False, delete=True)
    assert run.unit(given_up).stopped(3).record.exists()
    assert run.unit(failed).resume.exists()
    assert not run.unit(given_up).resume.exists()


def test_a_study_that_ends_deletes_the_states_of_what_its_search_gave_up_and_says_so(run, console):
    brain = started(run, console)
    given_up = next(iter(brain.units.values())).trial.trial_id
    halted(run, given_up, 1)
    halted(run, "feedfeedfeedfeed", 1)
    freed = forget_states(run, studies_in(run.root))
    assert freed == {given_up: 100}
    assert not run.unit(given_up).resume.exists()
    assert run.unit("feedfeedfeedfeed").resume.exists()
    files = [run.output(name) for name in ("report.html", "leaderboard.csv", "leaderboard.md")]
    outputs = Outputs(pd.DataFrame(), "", *files)
    ended = Ended(outputs=outputs, failed={}, trained=1, recognised=0, freed=freed)
    assert print_outcome(ended, console) == 0
    assert "Freed 100 B: states of 1 training that" in console.file.getvalue()


def test_clean_deletes_trials_that_no_study_asks_for_and_only_those(run, console):
    brain = started(run, console)
    asked = next(iter(brain.units.values())).trial.trial_id
    write_record(run, asked)
    write_record(run, "feedfeedfeedfeed")
    with exclusive(run), pytest.raises(HarnessError, match="may yet ask for any trial"):
        clean(run.root, None, units=True, delete=True)
    assert run.unit("feedfeedfeedfeed").record.exists()
    clean(run.root, None, units=False, delete=True)
    assert run.unit("feedfeedfeedfeed").record.exists()
    deleted = clean(run.root, None, units=True, delete=True)
    assert [item.path for item in deleted] == [run.unit("feedfeedfeedfeed").folder]
    assert run.unit(asked).record.exists()


def test_clean_refuses_when_a_study_does_not_say_what_it_asks_for(run, console):
    started(run, console)
    silent = RunPaths(run.root, "silent")
    silent.folder.mkdir()
    silent.lock.write_text("")
    with pytest.raises(HarnessError, match="Study 'silent' was not started"):
        clean(run.root, None, units=True, delete=True)


def test_clean_keeps_packs_and_drawn_sets_that_a_study_was_run_on_or_a_driver_reads(run, console):
    started(run, console)
    named, by_fingerprint, free = (pack_folder(name, 32, 64) for name in ("aaa", "bbb", "ccc"))
    drawn, other = synthetic_folder("tiny", 0, 1), synthetic_folder("small", 0, 1)
    for folder in (named, by_fingerprint, free, drawn, other):
        folder.mkdir(parents=True)
    building, building_now = (packs_folder() / f".{name}-32px-64f.v2.building" for name in ("ddd", "eee"))
    building.mkdir()
    building_now.mkdir()
    publish(run, pack=str(named))
    write_text(json.dumps({"fingerprint": "bbb"}), run.dataset_file)
    write_text(json.dumps({"root": str(drawn)}), run.manifest)
    with (packs_folder() / ".eee-32px-64f.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with in_use(free):
            assert {item.path for item in clean(run.root, None, units=False, delete=False)} == {building}
        assert {item.path for item in clean(run.root, None, units=False, delete=False)} == {building, free}
    listed = clean(run.root, None, units=False, delete=False)
    assert {item.path for item in listed} == {building, building_now, free, other}


def test_clean_of_one_study_leaves_others_and_the_cache_alone(run, console):
    brain = started(run, console)
    mine = next(iter(brain.units.values())).trial.trial_id
    pack_folder("ccc", 32, 64).mkdir(parents=True)
    for trial_id in (mine, "feedfeedfeedfeed"):
        (run.units / f"{trial_id}.quarantined-1").mkdir()
    listed = clean(run.root, run, units=False, delete=False)
    assert [item.path.name for item in listed] == [f"{mine}.quarantined-1"]


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


def test_leaving_a_watch_is_exit_code_130_and_leaves_the_driver_alone(run, console, monkeypatch, capsys):
    started(run, console)

    def interrupt(seconds):
        if seconds:
            raise KeyboardInterrupt

    with exclusive(run):
        monkeypatch.setattr(time, "sleep", interrupt)
        monkeypatch.setattr(sys, "argv", ["dferbench", "status", str(run.folder), "--watch"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert driver_of(run) is not None
    assert ended.value.code == 130
