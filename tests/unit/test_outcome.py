"""What a study says at its end of trials that failed."""

import io
import json

import pytest
from begun_study import brain_of, publish, started, unstarted, write_record
from rich.console import Console

from harness.errors import HarnessError, NothingToReportError
from harness.schedule import making
from harness.schedule.making import Ended
from harness.schedule.operate.publisher import Publisher
from harness.schedule.operate.retrying import clear
from harness.schedule.operate.status import read_status
from harness.schedule.outcome import LONGEST, print_outcome
from harness.schedule.progress import Progress, Total
from harness.tables.store import write_text

TRACEBACK = """Traceback (most recent call last):
  File "/srv/pyarrow/error.pxi", line 92, in pyarrow.lib.check_status
    return spoil(pixels)
ValueError: 'Fog' makes {words}
of uint8 clips"""


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=2000)


def test_a_study_without_a_result_ends_with_its_failures_and_not_with_a_mistake(monkeypatch, tmp_path):
    def build(run):
        raise NothingToReportError("No method has a finished run")

    monkeypatch.setattr(making, "build", build)
    run = unstarted(tmp_path, monkeypatch)
    assert making._reported(run, {"confirm:hdf:0:1": "Memory ran out"}) is None
    with pytest.raises(HarnessError, match="No method has a finished run"):
        making._reported(run, {})


def test_failures_are_one_line_for_each_reason_and_the_exit_code_is_1(console):
    failed = {f"confirm:hdf:0:{number}": TRACEBACK.format(words="too much") for number in range(5)}
    failed["confirm:x3d:0:9"] = "Memory ran out"
    assert print_outcome(Ended(outputs=None, failed=failed, trained=0, recognised=0), console) == 1
    lines = console.file.getvalue().splitlines()
    assert "No trial that would be reported has a result, so there is no report." in lines
    assert [line for line in lines if line.startswith("failed")] == [
        "failed: confirm:hdf:0:0, confirm:hdf:0:1, confirm:hdf:0:2 and 2 more: ValueError: 'Fog' makes too much",
        "failed: confirm:x3d:0:9: Memory ran out",
    ]


def test_a_log_line_of_a_failure_says_what_was_raised_and_ends_in_dots_where_it_is_cut(tmp_path, monkeypatch, console):
    run = unstarted(tmp_path, monkeypatch)
    brain = brain_of(run)
    progress = Progress(brain, Total(10, 100), Publisher(run, {}), console, True)
    progress(brain.next(), {"kind": "ended", "status": "failed", "error": TRACEBACK.format(words="too much")})
    progress(brain.next(), {"kind": "ended", "status": "failed", "error": TRACEBACK.format(words="m" * LONGEST)})
    short, long = console.file.getvalue().splitlines()
    assert short.endswith(": failed ValueError: 'Fog' makes too much")
    assert long.endswith("mmm…")
    assert len(long) < 300


@pytest.mark.parametrize("left", ["a file", "the driver's word"])
def test_a_trial_that_was_trained_and_whose_test_failed_has_failed_until_it_is_retried(
    left, tmp_path, monkeypatch, console
):
    run = unstarted(tmp_path, monkeypatch)
    brain = started(run, console)
    unit = next(iter(brain.units.values()))
    write_record(run, unit.trial.trial_id, tested=False)
    assert read_status(run).counts["failed"] == 0
    if left == "a file":
        write_text(json.dumps({"error": "no such fog", "attempts": 1}), run.unit(unit.trial.trial_id).failure)
    else:
        publish(run, failed={unit.key: "no such fog"})
    status = read_status(run)
    assert (status.counts["failed"], status.errors[-1]["error"]) == (1, "no such fog")
    assert sum(phase.spent_seconds for phase in status.phases) == 10.0
    assert [one.trial_id for one in clear(run, failed=True, diverged=False).failed] == [unit.trial.trial_id]
    assert read_status(run).counts["failed"] == 0
    assert run.unit(unit.trial.trial_id).record.exists()
