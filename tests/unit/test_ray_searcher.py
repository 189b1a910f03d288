"""What Tune's searcher makes of errors in the driver: Tune itself would log them, and wait without end."""

import json
from itertools import count

import pytest
from fake_search import DATA, study_of

from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.session import Session

pytest.importorskip("ray")
from harness.schedule.cluster import ray_tune
from harness.schedule.cluster.mirrored import Storage
from harness.schedule.cluster.placing import Request
from harness.schedule.cluster.ray_searcher import Ground, UnitSearcher
from harness.train.task import Task

STUDY = study_of({"configurations": 1})
GROUND = Ground({"hdf": Request(1, 0)}, {}, Storage())
LIMITS = ray_tune.Limits(slots=2, failures=2)


class Placed(Session):
    """A session as the searcher knows one."""

    def __init__(self) -> None:
        pass

    def task(self, unit: Unit) -> Task:
        return Task(trial=unit.trial, units="units", manifest="manifest", pack="pack")


def brain() -> Brain:
    return Brain(study=STUDY, dataset=DATA, askers={}, is_finished=lambda unit: False, score=lambda unit: None)


def report(**event: object) -> dict[str, object]:
    return {"event": json.dumps(event)}


def tune(searcher: UnitSearcher, _limits: object, _scratch: object) -> None:
    """What a run of Tune does, unit after unit; an error of its searcher would end the test."""
    for name in map(str, count()):
        suggested = searcher.suggest(name)
        if suggested == UnitSearcher.FINISHED:
            return
        assert suggested is not None, "it would wait without end"
        searcher.on_trial_result(name, report(kind="epoch", epoch=1, val_uar=0.5))
        searcher.on_trial_complete(name, report(kind="ended", status="done", error=""))


@pytest.mark.parametrize("kind", ["started", "epoch", "ended"])
def test_an_error_of_the_driver_ends_the_run_as_itself(kind, monkeypatch):
    error = OSError(28, "No space left on device")

    def fails(unit: Unit, event) -> None:
        if event["kind"] == kind:
            raise error

    monkeypatch.setattr(ray_tune, "_fit", tune)
    with pytest.raises(OSError, match="No space left") as raised:
        ray_tune._run(Placed(), brain(), fails, GROUND, LIMITS)
    assert raised.value is error


def test_units_that_still_run_when_the_driver_breaks_are_waited_for_and_no_other_is_begun():
    def fails(unit: Unit, event) -> None:
        if event["kind"] == "ended":
            raise RuntimeError("a defect")

    searcher = UnitSearcher(Placed(), brain(), fails, GROUND)
    assert searcher.suggest("a")["task"] != searcher.suggest("b")["task"]
    searcher.on_trial_complete("a", report(kind="ended", status="done", error=""))
    first = searcher.broken
    assert searcher.suggest("c") == UnitSearcher.FINISHED
    searcher.on_trial_complete("b", report(kind="ended", status="failed", error="too late", storage=True))
    assert searcher.broken is first
