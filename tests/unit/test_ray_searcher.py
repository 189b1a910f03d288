"""Runs of Tune: in batches, again when one ended early, and never on in spite of an error in the driver."""

import json
from itertools import count

import pytest
from fake_search import DATA, study_of

from harness.errors import HarnessError, StorageError
from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.session import Session

pytest.importorskip("ray")
from harness.schedule.cluster import ray_searcher, ray_tune
from harness.schedule.cluster.mirrored import Storage
from harness.schedule.cluster.placing import Request
from harness.schedule.cluster.ray_searcher import Ground, UnitSearcher
from harness.train.task import Task

STUDY = study_of({"configurations": 1}).model_copy(update={"seeds": (0, 1, 2)})
GROUND = Ground({"hdf": Request(1, 0)}, Storage())
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


def test_a_full_disk_is_not_told_to_a_search_as_a_configuration_that_failed():
    machine = brain()
    searcher = UnitSearcher(Placed(), machine, lambda *_: None, GROUND)
    searcher.suggest("a")
    searcher.on_trial_complete("a", report(kind="ended", status="failed", error="the disk is full", storage=True))
    assert isinstance(searcher.broken, StorageError)
    assert str(searcher.broken) == "the disk is full"
    assert machine.failed == {}
    assert not machine.done, "the next run trains it"


def test_a_large_study_is_run_in_batches_each_unit_once(monkeypatch):
    handed_out: list[list[str]] = []

    def counted(searcher: UnitSearcher, limits: object, scratch: object) -> None:
        handed_out.append([])
        tune(searcher, limits, scratch)

    def note(unit: Unit, event) -> None:
        if event["kind"] == "started":
            handed_out[-1].append(unit.key)

    machine = brain()
    num_units = len(machine.units)
    assert num_units > 2 * ray_tune.MAX_RESTARTS, "batches are not counted as runs of Tune that ended early"
    monkeypatch.setattr(ray_searcher, "BATCH", 2)
    monkeypatch.setattr(ray_tune, "_fit", counted)
    ray_tune._run(Placed(), machine, note, GROUND, LIMITS)
    assert machine.done
    assert max(map(len, handed_out)) == 2
    assert len({key for keys in handed_out for key in keys}) == sum(map(len, handed_out)) == num_units


def test_what_ran_when_tune_ended_early_is_handed_out_again_but_not_for_ever(monkeypatch):
    runs = []

    def dies(searcher: UnitSearcher, *_: object) -> None:
        runs.append(searcher.suggest("a")["task"])

    monkeypatch.setattr(ray_tune, "_fit", dies)
    with pytest.raises(HarnessError, match=f"ended early {ray_tune.MAX_RESTARTS} times"):
        ray_tune._run(Placed(), brain(), lambda *_: None, GROUND, LIMITS)
    assert len(runs) == ray_tune.MAX_RESTARTS
    assert len(set(runs)) == 1
