"""A disk that is full or closed is the user's to mend, and nothing is left half written on it."""

import errno
import os
from pathlib import Path

import pytest
from tiny_unit import ignore, make_task, names

from harness.errors import StorageError
from harness.spec.study import StudySpec
from harness.tables import storage
from harness.train.space import check_space, study_bytes
from harness.train.unit import execute, is_finished


def full(error_number: int):
    def failing(descriptor):
        raise OSError(error_number, os.strerror(error_number))

    return failing


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the quota is used up"), (errno.EROFS, "is read-only")],
)
def test_a_disk_that_cannot_be_written_is_the_users_to_mend_and_nothing_is_left_half_written(
    number, words, source, tmp_path, monkeypatch
):
    task = make_task(source, tmp_path, training={"epochs": 1})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full(number))
        with pytest.raises(StorageError, match=rf"units.*{words}.*or use --out"):
            execute(task, ignore)
    assert names(Path(task.units)) == []
    execute(task, ignore)
    assert is_finished(task)


def test_a_disk_that_fills_up_while_a_state_is_stored_leaves_the_last_one(source, tmp_path, monkeypatch):
    task = make_task(source, tmp_path, training={"epochs": 3})
    execute(task.model_copy(update={"stop_after": 1}), ignore)
    stored = task.paths.resume.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full(errno.ENOSPC))
        with pytest.raises(StorageError, match="the disk is full"):
            execute(task.model_copy(update={"stop_after": 2}), ignore)
    assert task.paths.resume.read_bytes() == stored
    assert names(Path(task.units)) == [task.paths.resume.name, task.paths.halts.name]


def test_other_errors_of_the_system_are_not_called_storage(tmp_path):
    with pytest.raises(IsADirectoryError), storage.storage(tmp_path):
        tmp_path.read_bytes()


def test_a_folder_is_tried_before_anything_is_trained(tmp_path, monkeypatch):
    storage.check_writable(tmp_path / "new" / "units")
    assert names(tmp_path / "new" / "units") == []
    blocked = OSError(errno.EROFS, "Read-only file system", str(tmp_path / "x"))
    monkeypatch.setattr(Path, "write_bytes", lambda path, content: (_ for _ in ()).throw(blocked))
    with pytest.raises(StorageError, match=r"x: the file system is read-only\. Mend that"):
        storage.check_writable(tmp_path)


def test_room_is_asked_for_what_is_not_on_storage_yet(source, tmp_path, monkeypatch):
    lstm = {"model": {"name": "resnet18_lstm"}}
    study = StudySpec.model_validate(
        {
            "name": "s",
            "question": "?",
            "dataset": {"name": "made"},
            "folds": [1],
            "seeds": [0, 1],
            "methods": {"m": lstm},
        }
    )
    units, weights = tmp_path / "units", {"m": 1_000_000}
    needed = study_bytes(study, source, weights)
    assert needed > (2 + 10) * 1_000_000, "two checkpoints, and the state of a training that is not finished"
    assert study_bytes(study.model_copy(update={"seeds": (0, 1, 2)}), source, weights) > needed + 1_000_000
    monkeypatch.setattr("harness.train.space.free_bytes", lambda folder: needed - 500_000)
    with pytest.raises(StorageError, match=r"need about 0\.0 GB more"):
        check_space(study, source, weights, units)
    (units / "0").mkdir()
    (units / "0" / "checkpoint.pt").write_bytes(bytes(600_000))
    check_space(study, source, weights, units)
