"""What clean and a study's end delete: what nothing needs any more, and nothing finished by mistake."""

import fcntl
import io
import json
import os
import socket
import subprocess

import pandas as pd
import pytest
from begun_study import publish, started, unstarted, write_record
from rich.console import Console

from harness.errors import HarnessError
from harness.paths import RunPaths, pack_folder, packs_folder, synthetic_folder
from harness.report.build import Outputs
from harness.schedule.making import Ended
from harness.schedule.operate.cleaning import clean, in_use, listing, studies_in
from harness.schedule.operate.driver import exclusive
from harness.schedule.operate.halted import forget_states
from harness.schedule.outcome import print_outcome
from harness.tables.store import write_text


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    return unstarted(tmp_path, monkeypatch)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


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
        run.unit(unfinished).halts / ".epoch-1.quarantined-1",
    ]
    run.unit(unfinished).halts.mkdir()
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


def test_clean_keeps_the_trials_of_a_study_that_was_copied_without_its_hidden_files(run, console):
    asked = next(iter(started(run, console).units.values())).trial.trial_id
    write_record(run, asked)
    run.lock.unlink()
    assert clean(run.root, None, units=True, delete=True) == []
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
