"""Words that a user or an error chose are shown as they are, though some look like rich's markup."""

import io
from dataclasses import replace

import pytest
from begun_study import QUICKSTART, STUDY, brain_of, started, unstarted
from rich.console import Console

from harness.paths import RunPaths
from harness.schedule.forecasting.forecast_text import trials_table
from harness.schedule.operate.publisher import Publisher
from harness.schedule.operate.status import read_status
from harness.schedule.operate.status_text import render
from harness.schedule.operate.wanted import Found, wanted_by
from harness.schedule.progress import Progress, Total

WORDS = "cannot read [/data/x.mp4], install it[s3]"


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    return unstarted(tmp_path, monkeypatch)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=300)


def shown(console: Console) -> str:
    return console.file.getvalue()


def test_the_error_of_a_trial_is_in_the_live_table_as_it_was_said(run, console):
    brain = brain_of(run)
    progress = Progress(brain, Total(10, 100), Publisher(run, {}), console, True)
    unit = brain.next()
    progress(unit, {"kind": "ended", "status": "failed", "error": WORDS})
    console.print(progress)
    assert WORDS in shown(console)


def test_the_names_of_methods_and_hosts_are_in_the_status_as_they_are(run, console):
    started(run, console)
    status = read_status(run)
    running = {"unit": WORDS, "state": "testing", "epoch": 1, "epochs": 2, "seconds": 1.0, "host": WORDS}
    status.running.append({**running, "detail": WORDS})
    status.phases[0] = replace(status.phases[0], method=WORDS)
    console.print(render(status))
    assert shown(console).count(WORDS) == 4


def test_the_names_of_methods_are_in_the_plan_as_they_are(run, console):
    started(run, console)
    other = replace(wanted_by(run)[0], method=WORDS)
    console.print(trials_table(STUDY, {other: Found(state="missing", record={})}))
    searched = QUICKSTART.model_copy(update={"methods": {WORDS: QUICKSTART.methods["hdf"]}})
    console.print(trials_table(searched, {}))
    assert shown(console).count(WORDS) == 2
