"""What libraries warn of in a worker reaches whoever runs the study: in the trial's record, and at the study's end."""

import io
import warnings

import pandas as pd
import pytest
from begun_study import brain_of, unstarted
from rich.console import Console
from tiny_unit import ignore, make_task

from harness.paths import RunPaths
from harness.report.build import Outputs
from harness.schedule.making import Ended
from harness.schedule.operate.publisher import Publisher
from harness.schedule.outcome import print_outcome
from harness.schedule.progress import Progress, Total
from harness.train.fit import Training
from harness.train.unit import execute
from harness.train.warned import LONGEST, MOST, warned


@pytest.fixture(autouse=True)
def _as_outside_of_tests():
    """Warnings are no errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield


def test_each_warning_is_kept_once_in_one_line_and_none_is_printed(capsys):
    with warned() as found:
        for _ in range(3):
            warnings.warn("an operation\nadds up in any order", stacklevel=1)
        warnings.warn("x" * 2 * LONGEST, RuntimeWarning, stacklevel=1)
    assert found[0] == "UserWarning: an operation adds up in any order"
    assert [len(one) for one in found[1:]] == [LONGEST]
    assert capsys.readouterr().err == ""


def test_no_more_warnings_are_kept_than_people_read():
    with warned() as found:
        for number in range(2 * MOST):
            warnings.warn(f"number {number}", stacklevel=1)
    assert len(found) == MOST


def test_what_a_network_warns_of_is_in_the_record_of_its_trial(source, tmp_path, monkeypatch):
    epoch = Training.epoch

    def warning(self, number):
        warnings.warn("upsample_linear1d_backward_out_cuda does not have a deterministic implementation", stacklevel=1)
        return epoch(self, number)

    monkeypatch.setattr(Training, "epoch", warning)
    record = execute(make_task(source, tmp_path, training={"epochs": 2}), ignore)
    said = "UserWarning: upsample_linear1d_backward_out_cuda does not have a deterministic implementation"
    assert record["warnings"] == [said]


def test_a_study_says_at_its_end_what_was_warned_of_and_in_how_many_trials(tmp_path, monkeypatch):
    run: RunPaths = unstarted(tmp_path, monkeypatch)
    brain, console = brain_of(run), Console(file=io.StringIO(), width=300)
    progress = Progress(brain, Total(10, 100), Publisher(run, {}), console, True)
    for said in (["UserWarning: [a]", "UserWarning: b"], ["UserWarning: [a]"], []):
        progress(brain.next(), {"kind": "ended", "status": "done", "warnings": said})
    files = [run.output(name) for name in ("report.html", "leaderboard.csv", "leaderboard.md")]
    outputs = Outputs(pd.DataFrame(), "", *files)
    ended = Ended(outputs=outputs, failed={}, trained=3, recognised=0, warnings=dict(progress.warnings))
    assert print_outcome(ended, console) == 0
    printed = console.file.getvalue()
    assert "warned in 2 trials: UserWarning: [a]" in printed
    assert "warned in 1 trial: UserWarning: b" in printed
