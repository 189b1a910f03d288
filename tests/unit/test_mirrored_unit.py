"""A unit on a machine that shares nothing with the driver but a store."""

import shutil
import uuid
from hashlib import sha256
from pathlib import Path

import pytest
from tiny_unit import contents_but_seconds, make_task

from harness.schedule.cluster import mirrored
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.cluster.mirrored import Storage, execute_mirrored
from harness.train.task import Task
from harness.train.unit import execute, is_finished

SHORT = {"training": {"epochs": 2}}


@pytest.fixture
def uri() -> str:
    return f"memory://dferbench-{uuid.uuid4().hex}"


def on_another_machine(task: Task, folder: Path) -> Task:
    """The same work where none of the driver's paths exist."""
    return task.model_copy(
        update={
            "units": str(folder / "runs" / "units"),
            "manifest": str(folder / "runs" / "study" / Path(task.manifest).name),
            "pack": str(folder / "cache" / Path(task.pack).name),
        }
    )


def test_a_machine_that_shares_nothing_trains_the_same_and_the_driver_gets_it(source, tmp_path, uri):
    task = make_task(source, tmp_path / "driver", **SHORT)
    driver = Mirror(uri, tmp_path / "driver")
    driver.send_inputs([Path(task.manifest)], Path(task.pack))
    storage = Storage(uri, sha256(Path(task.manifest).read_bytes()).hexdigest())
    far = on_another_machine(task, tmp_path / "far")
    record = execute_mirrored(far, storage, lambda _: None)
    assert record["status"] == "done"
    assert not is_finished(task)
    driver.bring_unit(task.trial.trial_id)
    assert is_finished(task)
    plain = make_task(source, tmp_path / "plain", **SHORT)
    execute(plain, lambda _: None)
    assert contents_but_seconds(task) == contents_but_seconds(plain)
    assert not list((tmp_path / "far").rglob("*.tmp"))


def test_a_unit_that_is_finished_on_the_store_is_not_trained_again(source, tmp_path, uri):
    task = make_task(source, tmp_path / "one", **SHORT)
    execute_mirrored(task, Storage(uri), lambda _: None)
    again = make_task(source, tmp_path / "two", **SHORT)
    events = []
    execute_mirrored(again, Storage(uri), events.append)
    assert events == []
    assert contents_but_seconds(again) == contents_but_seconds(task)


def test_without_a_store_nothing_is_mirrored(source, tmp_path, monkeypatch):
    monkeypatch.setattr(mirrored, "Mirror", None)
    assert execute_mirrored(make_task(source, tmp_path, **SHORT), Storage(), lambda _: None)["status"] == "done"


def test_a_long_training_leaves_its_state_on_the_store_while_it_goes_on(source, tmp_path, uri, monkeypatch):
    monkeypatch.setattr(mirrored, "SEND_STATE_SECONDS", 0.0)
    sent = []
    whole = Mirror.send_unit
    monkeypatch.setattr(Mirror, "send_unit", lambda self, one: (sent.append(one), whole(self, one))[1])
    task = make_task(source, tmp_path / "one", **SHORT)
    execute_mirrored(task, Storage(uri), lambda _: None)
    assert len(sent) == 2 + 1, "after each epoch, and at the end"


def test_a_manifest_that_is_not_the_drivers_is_replaced(source, tmp_path, uri):
    task = make_task(source, tmp_path / "driver", **SHORT)
    driver = Mirror(uri, tmp_path / "driver")
    driver.send_inputs([Path(task.manifest)], Path(task.pack))
    far = on_another_machine(task, tmp_path / "far")
    Path(far.manifest).parent.mkdir(parents=True)
    Path(far.manifest).write_text("of an earlier study")
    shutil.copytree(task.pack, far.pack)
    wanted = sha256(Path(task.manifest).read_bytes()).hexdigest()
    mirrored.bring_inputs(far, Storage(uri, wanted), Mirror(uri, tmp_path / "far" / "runs"))
    assert Path(far.manifest).read_bytes() == Path(task.manifest).read_bytes()
