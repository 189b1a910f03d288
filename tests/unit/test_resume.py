"""A training that is interrupted, or halted, and goes on ends as if nothing had happened."""

import json
from typing import Any

import pytest
import torch
from tiny_unit import contents_but_seconds, make_task, weights

from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.tables import schema, store
from harness.train import resume
from harness.train.resume import read_state, write_state
from harness.train.task import open_clips
from harness.train.unit import execute, is_finished, read_record, result_of
from perturbations._apply import SUITE_VERSION

EPOCHS = 3
SAM = {"learning_rate": 0.01, "sam": {"rho": 0.05}}
RECIPES: dict[str, dict[str, Any]] = {
    "adamw": {},
    "sam and dsm": {"objective": {"name": "dsm"}, "optimizer": SAM},
    "asam, sgd and group dro": {
        "objective": {"name": "group_dro"},
        "optimizer": {"name": "sgd", "learning_rate": 0.01, "sam": {"name": "asam", "rho": 0.05}},
    },
    "gsam": {"optimizer": {"learning_rate": 0.01, "sam": {"name": "gsam", "rho": 0.05}}},
    "looksam": {"optimizer": {"learning_rate": 0.01, "sam": {"name": "looksam", "rho": 0.05}}},
    "friendly_sam": {"optimizer": {"learning_rate": 0.01, "sam": {"name": "friendly_sam", "rho": 0.05}}},
}


@pytest.fixture
def always_saved(monkeypatch):
    monkeypatch.setattr(resume, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(resume, "SAVE_SHARE", float("inf"))


class Killed(BaseException):
    """A worker that dies; nothing in the harness may catch it."""


def killed_at(epoch: int):
    def on_event(event):
        if event["kind"] == "epoch" and event["epoch"] == epoch:
            raise Killed

    return on_event


def assert_same(one, other):
    assert contents_but_seconds(one) == contents_but_seconds(other)
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_training_killed_at_every_epoch_ends_as_an_uninterrupted_one(recipe, source, tmp_path, always_saved):
    options = {"training": {"epochs": EPOCHS}, "audit": not recipe, "conditions": (CLEAN_CONDITION,)}
    whole = make_task(source, tmp_path / "whole", recipe, **options)
    execute(whole, lambda event: None)
    task = make_task(source, tmp_path / "killed", recipe, **options)
    for epoch in range(2, EPOCHS + 1):
        with pytest.raises(Killed):
            execute(task, killed_at(epoch))
        assert task.paths.resume.exists()
        assert not is_finished(task)
    epochs = []
    execute(task, lambda event: epochs.append(event.get("epoch")))
    assert epochs[0] == EPOCHS, "epochs that were stored are not trained again"
    assert read_record(task.paths)["resumed_from"] == EPOCHS - 1
    assert_same(task, whole)
    assert not task.paths.resume.exists()
    assert sorted(path.name for path in task.paths.folder.parent.iterdir()) == [task.trial.trial_id]


def test_a_short_training_stores_no_state_at_all(source, tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "write_state", lambda content, path: pytest.fail("a state was stored"))
    execute(make_task(source, tmp_path, training={"epochs": 2}), lambda event: None)


def test_storing_states_takes_a_small_share_of_the_time_however_long_one_takes(source, tmp_path, monkeypatch):
    now = [0.0]
    stored = []

    def slowly(content, path):
        now[0] += 100.0
        stored.append(now[0])

    monkeypatch.setattr(resume, "perf_counter", lambda: now[0])
    monkeypatch.setattr(resume, "write_state", slowly)
    task = make_task(source, tmp_path, training={"epochs": 60})
    monkeypatch.setattr("harness.train.fit.Training.epoch", lambda self, number: {"epoch": number, "train_parts": []})
    monkeypatch.setattr("harness.train.fit.Training.validate", lambda self: (dict.fromkeys(MEASURED, 0.5), LOGITS))

    def on_event(event):
        now[0] += 100.0

    with pytest.raises(ValueError, match="missing columns"):
        execute(task, on_event)
    assert len(stored) == 3
    assert 100.0 * len(stored) <= resume.SAVE_SHARE * now[0] + 100.0


MEASURED = ("val_war", "val_uar", "val_loss")
LOGITS = torch.zeros(5, 2).numpy()


@pytest.mark.parametrize("damage", ["another version", "flipped"])
def test_a_state_that_does_not_fit_is_left_aside_and_the_training_starts_again(damage, source, tmp_path, always_saved):
    task = make_task(source, tmp_path, training={"epochs": 2})
    with pytest.raises(Killed):
        execute(task, killed_at(2))
    path = task.paths.resume
    stored = path.read_bytes()
    state = read_state(path)
    if damage == "another version":
        write_state({**state, "identity": {**state["identity"], "version": 0}}, path)
    else:
        middle = len(stored) // 2
        path.write_bytes(stored[:middle] + bytes([stored[middle] ^ 1]) + stored[middle + 1 :])
    epochs = []
    record = execute(task, lambda event: epochs.append(event["epoch"]))
    assert epochs == [1, 2]
    assert record["resume_note"].startswith("started again: ")
    assert record["resumed_from"] == 0
    assert not path.exists()


@pytest.mark.parametrize("kept", [slice(0, 0), slice(0, 20), slice(0, -1), slice(1, None)])
def test_a_part_of_a_state_is_not_a_state(kept, tmp_path):
    path = tmp_path / "x.resume.pt"
    write_state({"identity": {}}, path)
    assert read_state(path) == {"identity": {}}
    path.write_bytes(path.read_bytes()[kept])
    with pytest.raises(ValueError, match=r"x\.resume\.pt is damaged"):
        read_state(path)


def test_a_state_is_read_without_running_code(source, tmp_path):
    import hashlib
    import io
    import pickle

    buffer = io.BytesIO()
    torch.save({"identity": Killed()}, buffer)
    payload = buffer.getvalue()
    path = tmp_path / "x.resume.pt"
    path.write_bytes(hashlib.sha256(payload).digest() + payload)
    with pytest.raises(ValueError, match="is not a state"):
        read_state(path)
    payload = pickle.dumps(3, protocol=2)
    path.write_bytes(hashlib.sha256(payload).digest() + payload)
    with pytest.raises(ValueError, match="is not a state"):
        read_state(path)


def test_a_halted_training_says_what_it_reached_and_goes_on_to_the_same_end(source, tmp_path):
    options = {"training": {"epochs": EPOCHS}, "audit": True, "conditions": (CLEAN_CONDITION,)}
    whole = make_task(source, tmp_path / "whole", **options)
    execute(whole, lambda event: None)
    full = make_task(source, tmp_path / "halted", **options)
    halted = [full.model_copy(update={"stop_after": epoch}) for epoch in (1, 2)]
    for epoch, task in enumerate(halted, start=1):
        epochs = []
        record = execute(task, lambda event, seen=epochs: seen.append(event["epoch"]))
        assert epochs == [epoch]
        assert (record["status"], record["epochs"]) == ("stopped", epoch)
        assert not task.paths.folder.exists()
        assert is_finished(task)
        assert not is_finished(full)
        found = result_of(task)
        rows = store.read(found.epochs, schema.EPOCHS).drop(columns="seconds")
        assert rows.equals(store.read(whole.paths.epochs, schema.EPOCHS).drop(columns="seconds").head(epoch))
        assert len(store.read(found.predictions("val"), schema.predictions(2))) == len(open_clips(task)[1].val)
        assert not found.checkpoint.exists()
    assert is_finished(halted[0]), "a later halt answers an earlier one"
    assert execute(halted[0], lambda event: pytest.fail("trained again"))["epochs"] == 2
    execute(full, lambda event: None)
    assert_same(full, whole)
    assert sorted(path.name for path in full.paths.folder.parent.iterdir()) == [full.trial.trial_id]
    assert all(is_finished(task) for task in halted), "a finished training answers every halt"
    assert execute(halted[0], lambda event: pytest.fail("trained again"))["status"] == "done"


def test_a_halt_at_or_after_the_last_epoch_is_the_end(source, tmp_path):
    task = make_task(source, tmp_path, training={"epochs": 1}, stop_after=5)
    assert execute(task, lambda event: None)["status"] == "done"
    assert task.paths.checkpoint.exists()


def test_a_halted_training_whose_state_is_gone_starts_again_and_ends_the_same(source, tmp_path):
    full = make_task(source, tmp_path, training={"epochs": 2})
    execute(full.model_copy(update={"stop_after": 1}), lambda event: None)
    full.paths.resume.unlink()
    epochs = []
    execute(full, lambda event: epochs.append(event["epoch"]))
    assert epochs == [1, 2]


def test_validation_clips_are_shown_under_conditions_and_test_clips_are_not_opened(source, tmp_path, monkeypatch):
    from harness.data.clip_store import ClipStore

    fog = Condition(perturbation="fog", severity=2.5)
    task = make_task(source, tmp_path, training={"epochs": 1}, val_conditions=(CLEAN_CONDITION, fog))
    _, fold = open_clips(task)
    opened, batch = [], ClipStore.batch
    monkeypatch.setattr(ClipStore, "batch", lambda self, ids, at: (opened.extend(ids), batch(self, ids, at))[1])
    execute(task, lambda event: None)
    assert set(opened) == {*fold.train, *fold.val}
    (file,) = task.paths.val_predictions(SUITE_VERSION)
    shown = store.read(file, schema.predictions(2))
    assert set(shown["split"]) == {"val"}
    assert set(shown["perturbation"]) == {"fog"}
    assert sorted(shown["clip_id"]) == sorted(fold.val)
    assert is_finished(task)
    assert not is_finished(task.model_copy(update={"repeats": 2}))
    assert json.loads(task.paths.record.read_text())["status"] == "done"
