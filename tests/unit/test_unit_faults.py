"""What a unit survives: damaged files, clocks that are wrong, evaluations too large for memory, errors of its own."""

import errno
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_unit import OUT_OF_MEMORY, contents_but_seconds, ignore, make_task, names, weights

from harness.errors import HarnessError
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.train.fit import Training
from harness.train.quarantine import mend
from harness.train.unit import execute, is_finished, read_record
from perturbations._apply import SUITE_VERSION

NOISE = Condition(perturbation="gaussian_noise", severity=1)


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory):
    """A confirmed unit; tests work on copies of it."""
    task = make_task(
        source, tmp_path_factory.mktemp("done"), training={"epochs": 1}, audit=True, conditions=(CLEAN_CONDITION, NOISE)
    )
    execute(task, ignore)
    return task


@pytest.fixture
def copied(finished, tmp_path):
    shutil.copytree(finished.units, tmp_path / "units")
    return finished.model_copy(update={"units": str(tmp_path / "units")})


def test_an_evaluation_batch_that_is_too_large_is_shown_in_halves(source, finished, copied, monkeypatch):
    from models.x3d import X3D

    forward, sizes = X3D.forward, []

    def too_large(self, clips):
        sizes.append(len(clips))
        if len(clips) > 4:
            raise torch.OutOfMemoryError(OUT_OF_MEMORY)
        return forward(self, clips)

    for path in copied.paths.test_predictions(SUITE_VERSION):
        path.unlink()
    monkeypatch.setattr(X3D, "forward", too_large)
    execute(copied, ignore)
    assert sizes[:4] == [12, 6, 3, 3]
    from harness.tables import schema, store

    (ours,), (theirs,) = copied.paths.test_predictions(SUITE_VERSION), finished.paths.test_predictions(SUITE_VERSION)
    logits = [np.stack(store.read(path, schema.predictions(2))["logits"].to_list()) for path in (ours, theirs)]
    np.testing.assert_allclose(*logits, rtol=1e-5, atol=1e-6)


def test_test_clips_that_do_not_fit_one_by_one_are_a_failure_in_words(copied, monkeypatch):
    from models.x3d import X3D

    def too_large(self, clips):
        raise torch.OutOfMemoryError(OUT_OF_MEMORY)

    for path in copied.paths.test_predictions(SUITE_VERSION):
        path.unlink()
    monkeypatch.setattr(X3D, "forward", too_large)
    with pytest.raises(HarnessError, match=r"finished trial was shown its test clips.*resources\.gpus"):
        execute(copied, ignore)


def garbage(path: Path) -> None:
    path.write_bytes(bytes(reversed(path.read_bytes())))


def another_number(path: Path) -> None:
    text = path.read_text()
    digit = re.search(r'"val_uar": 0\.(\d)', text)
    path.write_text(f"{text[: digit.start(1)]}{9 - int(digit[1])}{text[digit.end(1) :]}")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("record.json", truncated),
        ("record.json", another_number),
        ("record.json", Path.unlink),
        ("epochs.parquet", garbage),
        ("predictions-val.parquet", truncated),
        ("audit.parquet", Path.unlink),
        ("checkpoint.pt", truncated),
        ("checkpoint.pt", garbage),
    ],
)
def test_a_damaged_training_is_put_aside_and_made_again(name, spoil, finished, copied, caplog):
    path = copied.paths.folder / name
    spoil(path)
    if name == "checkpoint.pt" and spoil is garbage:
        for predictions in copied.paths.test_predictions(SUITE_VERSION):
            predictions.unlink()
    assert not is_finished(copied)
    execute(copied, ignore)
    assert is_finished(copied)
    assert contents_but_seconds(copied) == contents_but_seconds(finished)
    assert all(torch.equal(value, weights(finished)[key]) for key, value in weights(copied).items())
    (aside,) = Path(copied.units).glob(f".{copied.trial.trial_id}.quarantined-*")
    assert name in json.loads((aside / "quarantine.json").read_text())["reason"]
    assert f"{name} " in caplog.text
    assert "put aside" in caplog.text


@pytest.mark.parametrize("spoil", [truncated, garbage])
@pytest.mark.parametrize("pattern", ["predictions-test-*", "fingerprints-*"])
def test_a_damaged_evaluation_alone_is_put_aside_and_made_again(pattern, spoil, finished, copied):
    (path,) = copied.paths.folder.glob(pattern)
    before = read_record(copied.paths)
    spoil(path)
    assert not is_finished(copied)
    execute(copied, lambda event: event["kind"] != "epoch" or pytest.fail("trained again"))
    assert read_record(copied.paths) == before
    assert contents_but_seconds(copied) == contents_but_seconds(finished)
    aside = [names(folder) for folder in Path(copied.units).glob(f".{copied.trial.trial_id}.quarantined-*")]
    assert len(aside) == (2 if pattern.startswith("fingerprints") else 1), "fingerprints are made with predictions"
    assert any(path.name in inside for inside in aside)


@pytest.mark.parametrize("pattern", ["predictions-test-*", "predictions-audit-v[0-9]*", "fingerprints-*", "epochs.*"])
def test_a_page_that_is_not_what_was_written_is_found_when_tables_are_read_whole(pattern, finished, copied):
    (path,) = copied.paths.folder.glob(pattern)
    content = bytearray(path.read_bytes())
    content[content.index(b"\x28\xb5\x2f\xfd") + 12] ^= 1  # within the first page that Zstandard compressed
    path.write_bytes(content)
    mend(copied.paths)
    assert not path.exists()
    assert not is_finished(copied)
    execute(copied, ignore)
    assert contents_but_seconds(copied) == contents_but_seconds(finished)
    before = names(copied.paths.folder)
    mend(copied.paths)
    assert names(copied.paths.folder) == before, "what is sound stays"


def test_predictions_damaged_in_the_middle_are_made_again_when_they_are_read(finished, copied):
    (path,) = copied.paths.test_predictions(SUITE_VERSION)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    more = copied.model_copy(update={"repeats": 2})
    assert not is_finished(more)
    execute(more, ignore)
    assert is_finished(more)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ESTALE])
def test_an_evaluation_that_storage_does_not_give_is_not_put_aside(number, copied, monkeypatch):
    more, before = copied.model_copy(update={"repeats": 2}), names(copied.paths.folder)

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pyarrow.parquet.ParquetFile", fails)
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        is_finished(more)
    assert names(copied.paths.folder) == before


@pytest.mark.parametrize("moved", ["*", "epochs.parquet", "predictions-test-*"])
def test_what_another_driver_moves_away_while_it_is_looked_at_is_not_there(moved, copied, monkeypatch):
    """Two drivers that share trials mend at once: each finds that the other was faster, and neither ends."""
    from harness.train import quarantine

    for path in copied.paths.folder.glob("predictions-test-*"):
        path.write_bytes(path.read_bytes()[:-1])
    sizes = quarantine._sizes

    def looked_and_moved(paths):
        found = sizes(paths)
        for path in paths.folder.glob(moved):
            path.unlink()
        if moved == "*":
            paths.folder.rmdir()
        return found

    monkeypatch.setattr(quarantine, "_sizes", looked_and_moved)
    assert not quarantine.is_sound(copied.paths)
    mend(copied.paths)


def test_what_is_moved_away_while_tables_are_read_whole_is_passed_by(copied, monkeypatch):
    from harness.tables import store

    def gone(path):
        raise FileNotFoundError(errno.ENOENT, "gone", str(path))

    before = names(copied.paths.folder)
    monkeypatch.setattr(store, "flaw", gone)
    mend(copied.paths)
    assert names(copied.paths.folder) == before


def test_a_folder_of_evaluations_without_a_training_makes_way(finished, copied):
    """What a worker leaves that wrote its evaluation while another process put the training aside."""
    left = next(copied.paths.folder.glob("predictions-test-*")).read_bytes()
    shutil.rmtree(copied.paths.folder)
    copied.paths.folder.mkdir()
    (copied.paths.folder / "predictions-test-v0-old.parquet").write_bytes(left)
    execute(copied, ignore)
    assert contents_but_seconds(copied) == contents_but_seconds(finished)


def test_a_record_whose_digest_is_of_another_kind_is_damaged(copied):
    record = read_record(copied.paths)
    copied.paths.record.write_text(json.dumps({**record, "sha256": [1]}))
    assert not is_finished(copied)


def test_an_intact_unit_is_left_alone(copied):
    before = {path: path.stat().st_mtime_ns for path in Path(copied.units).rglob("*")}
    assert is_finished(copied)
    execute(copied, lambda event: pytest.fail(f"nothing is to be done: {event}"))
    assert before == {path: path.stat().st_mtime_ns for path in Path(copied.units).rglob("*")}


def test_units_of_an_older_version_without_digests_are_finished(copied):
    record = read_record(copied.paths)
    del record["files"], record["sha256"]
    copied.paths.record.write_text(json.dumps(record))
    assert is_finished(copied)


def test_no_decision_goes_by_the_clock_on_the_wall(finished, source, tmp_path, monkeypatch):
    """Files from the future and from 1970, and a clock that runs backwards, change nothing."""
    import time

    now = iter(range(10**9, 0, -1))
    monkeypatch.setattr(time, "time", lambda: next(now))
    task = make_task(source, tmp_path, training={"epochs": 1}, audit=True, conditions=(CLEAN_CONDITION, NOISE))
    execute(task, ignore)
    assert contents_but_seconds(task) == contents_but_seconds(finished)
    for stamp in (1, 4 * 10**9):
        for path in Path(task.units).rglob("*"):
            os.utime(path, (stamp, stamp))
        assert is_finished(task)


def test_a_failure_is_kept_with_its_attempts_until_the_unit_succeeds(source, tmp_path, monkeypatch):
    task = make_task(source, tmp_path, training={"epochs": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Training, "validate", lambda self: {}["no such metric"])
        for attempt in (1, 2):
            with pytest.raises(KeyError):
                execute(task, ignore)
            failure = json.loads(task.paths.failure.read_text())
            assert failure["attempts"] == attempt
    assert failure["trial_id"] == task.trial.trial_id
    assert "no such metric" in failure["error"]
    assert "Traceback" in failure["traceback"]
    assert "test_unit_faults.py" in failure["traceback"]
    assert not is_finished(task)
    task.paths.failure.write_text("{garbage")
    execute(task, ignore)
    assert not task.paths.failure.exists()
    assert is_finished(task)
