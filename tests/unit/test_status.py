"""What status shows: what a driver does and every trial once, from storage and not from memory."""

import io
import json
import os
import socket
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from begun_study import brain_of, publish, started, unstarted, write_record
from rich.console import Console

from harness.cli import main
from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.schedule.operate import publisher as publisher_module
from harness.schedule.operate.driver import Driver, driver_of, exclusive
from harness.schedule.operate.publisher import Publisher
from harness.schedule.operate.status import Watcher, read_status
from harness.schedule.operate.status_text import headline, show_status
from harness.schedule.operate.wanted import wanted_by
from harness.schedule.progress import Progress, Total
from harness.tables.store import write_text


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    return unstarted(tmp_path, monkeypatch)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


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
        for number, fold in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    ]
    text = "".join(json.dumps({**line, "trial_id": f"{index}" * 16}) + "\n" for index, line in enumerate(lines))
    run.wanted.write_text(run.wanted.read_text() + text)
    for index, score in ((0, 0.3), (1, 0.2), (2, 0.9), (4, 0.9)):
        write_record(run, f"{index}" * 16, val_uar=score)
    phases = {(phase.method, phase.phase): phase for phase in read_status(run).phases}
    assert phases["hdf", "search"].best == pytest.approx(0.25), "one was raced out on an easy fold"
    assert phases["hdf", "search"].spent_epochs == 4 * 2
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


def test_a_line_cut_off_by_a_kill_is_not_read(run, console):
    brain = started(run, console)
    text = run.wanted.read_text()
    run.wanted.write_text(text + text.splitlines()[0][:40])
    assert len(wanted_by(run)) == len(brain.units)


def test_a_line_cut_off_by_a_full_disk_takes_none_of_the_next_with_it(run, console):
    brain = started(run, console)
    whole = run.wanted.read_bytes()
    run.wanted.write_bytes(whole[:-40])
    publisher = Publisher(run, {})
    publisher.follow(brain, dict)
    run.wanted.write_bytes(whole[:-40])
    publisher._written -= 1
    publisher._append_wanted()
    assert {one.trial_id for one in wanted_by(run)} == {unit.trial.trial_id for unit in brain.units.values()}


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
