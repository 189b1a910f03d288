"""What a unit survives: memory that runs out, damaged files, a full or closed disk, errors of its own."""

import errno
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_unit import contents_but_seconds, make_task, weights
from torch import nn
from torch.nn import functional

from harness.errors import HarnessError, StorageError
from harness.objectives._contract import LossParts, TrainState
from harness.spec.method import OptimizerSpec
from harness.spec.study import StudySpec
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.tables import storage
from harness.train.fit import Training
from harness.train.memory import limited, probe
from harness.train.optimizer import build_optimizer
from harness.train.space import check_space, study_bytes
from harness.train.step import Stepper
from harness.train.unit import execute, is_finished, read_record
from models._blocks.model import Output
from perturbations._apply import SUITE_VERSION

NOISE = Condition(perturbation="gaussian_noise", severity=1)
OOM = "CUDA out of memory. Tried to allocate 2.00 GiB."


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


def ignore(event) -> None:
    """Nobody watches."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Memory


class Small(nn.Module):
    """A network without batch normalisation or dropout."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.body = nn.Linear(2 * 3 * 4 * 4, 6)
            self.head = nn.Linear(6, 3)

    def forward(self, clips):
        features = torch.tanh(self.body(clips.flatten(1)))
        return Output(self.head(features), features)


class MeanLoss(nn.Module):
    """Cross-entropy with a part, as a mean over clips; soft labels if there are any."""

    def forward(self, logits, features, labels, state):
        targets = labels if state.label_distributions is None else state.label_distributions
        loss = functional.cross_entropy(logits, targets)
        return LossParts(loss, {"square": features.square().mean().detach()})


@pytest.mark.parametrize("count", [7, 8])
@pytest.mark.parametrize("sam", [None, {"rho": 0.1}])
@pytest.mark.parametrize("soft", [False, True])
def test_accumulated_steps_move_the_weights_as_whole_batches_do(count, sam, soft):
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(count, 2, 3, 4, 4, generator=generator)
    labels = torch.arange(count) % 3
    distributions = torch.rand(count, 3, generator=generator).softmax(1) if soft else None
    state = TrainState(groups=labels.clone(), label_distributions=distributions)
    spec = OptimizerSpec.model_validate({"name": "sgd", "learning_rate": 0.5, "sam": sam})
    reports, parameters = [], []
    for accumulation in (1, 2, 3):
        model = Small()
        stepper = Stepper(model, MeanLoss(), build_optimizer(model.parameters(), spec), spec, clip_gradient=1.0)
        stepper.accumulation = accumulation
        reports.append([stepper.step(clips, labels, state) for _ in range(3)])
        parameters.append(torch.cat([value.detach().flatten() for value in model.parameters()]))
    for other, moved in zip(reports[1:], parameters[1:], strict=True):
        torch.testing.assert_close(moved, parameters[0], rtol=1e-5, atol=1e-6)
        for one, whole in zip(other, reports[0], strict=True):
            assert one.loss == pytest.approx(whole.loss, rel=1e-5)
            assert one.parts["square"] == pytest.approx(whole.parts["square"], rel=1e-5)
            assert one.gradient_norm == pytest.approx(whole.gradient_norm, rel=1e-4)
            torch.testing.assert_close(one.logits, whole.logits, rtol=1e-4, atol=1e-5)


def test_no_micro_batch_has_fewer_than_two_clips():
    spec = OptimizerSpec()
    model, seen = Small(), []
    model.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    stepper = Stepper(model, MeanLoss(), build_optimizer(model.parameters(), spec), spec)
    stepper.accumulation = 2
    for count in (2, 3, 4, 5):
        stepper.step(torch.zeros(count, 2, 3, 4, 4), torch.zeros(count, dtype=torch.long), TrainState())
    assert seen == [2, 3, 2, 2, 3, 2]


def run_out(monkeypatch, times: int, error: RuntimeError) -> list[int]:
    """Let the first steps of the first trainings run out of memory; the micro-batches of every training."""
    seen: list[int] = []
    epoch = Training.epoch

    def failing(self, number):
        if number == 1:
            seen.append(self.stepper.accumulation)
        if len(seen) <= times and number == 2:
            raise error
        return epoch(self, number)

    monkeypatch.setattr(Training, "epoch", failing)
    return seen


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError(OOM), RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")],
    ids=["torch", "cudnn"],
)
def test_memory_that_runs_out_once_costs_micro_batches_and_the_record_says_so(error, source, tmp_path, monkeypatch):
    seen = run_out(monkeypatch, 1, error)
    task = make_task(source, tmp_path, training={"epochs": 2})
    events = []
    record = execute(task, events.append)
    assert seen == [1, 2]
    assert record["status"] == "done"
    assert record["accumulation"] == 2
    assert str(error) in record["accumulation_reason"]
    assert "batch normalisation and contrastive terms saw one part at a time" in record["accumulation_reason"]
    assert {"kind": "memory", "accumulation": 2, "reason": str(error)} in events
    assert len(names(Path(task.units))) == 1


def test_memory_that_runs_out_twice_is_a_failure_that_says_what_to_do(source, tmp_path, monkeypatch):
    run_out(monkeypatch, 2, torch.OutOfMemoryError(OOM))
    task = make_task(source, tmp_path, training={"epochs": 2})
    with pytest.raises(
        HarnessError, match=r"even with batches of 8 clips taken in 2 parts.*Lower training\.batch_size"
    ):
        execute(task, ignore)
    assert names(Path(task.units)) == [task.paths.failure.name]


def test_an_error_that_is_not_of_memory_is_not_tried_again(source, tmp_path, monkeypatch):
    seen = run_out(monkeypatch, 1, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        execute(make_task(source, tmp_path, training={"epochs": 2}), ignore)
    assert seen == [1]


def test_an_evaluation_batch_that_is_too_large_is_shown_in_halves(source, finished, copied, monkeypatch):
    from models.x3d import X3D

    forward, sizes = X3D.forward, []

    def too_large(self, clips):
        sizes.append(len(clips))
        if len(clips) > 4:
            raise torch.OutOfMemoryError(OOM)
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


@pytest.mark.slow
def test_a_larger_batch_needs_more_memory(source, tmp_path):
    training = {"epochs": 1}
    few, many = (
        probe(make_task(source, tmp_path, training={**training, "batch_size": size})).reserved for size in (2, 18)
    )
    assert 100 < few < many


def test_a_share_of_a_gpu_is_given_back(source, tmp_path, monkeypatch):
    shares = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    task = make_task(source, tmp_path, memory_fraction=0.25, device="cuda")
    with suppress(KeyError), limited(task):
        assert shares == [0.25]
        raise KeyError
    assert shares == [0.25, 1.0]
    with limited(make_task(source, tmp_path, memory_fraction=0.25)):
        assert shares == [0.25, 1.0]


# Damage


def garbage(path: Path) -> None:
    path.write_bytes(bytes(reversed(path.read_bytes())))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("record.json", truncated),
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
    again = is_finished(copied)
    assert again == pattern.startswith("fingerprints")
    execute(copied, lambda event: event["kind"] != "epoch" or pytest.fail("trained again"))
    assert read_record(copied.paths) == before
    if not again:
        assert contents_but_seconds(copied) == contents_but_seconds(finished)
    (aside,) = Path(copied.units).glob(f".{copied.trial.trial_id}.quarantined-*")
    assert path.name in names(aside)


def test_predictions_damaged_in_the_middle_are_made_again_when_they_are_read(finished, copied):
    (path,) = copied.paths.test_predictions(SUITE_VERSION)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    more = copied.model_copy(update={"repeats": 2})
    assert not is_finished(more)
    execute(more, ignore)
    assert is_finished(more)


def test_an_intact_unit_is_left_alone(copied):
    before = {path: path.stat().st_mtime_ns for path in Path(copied.units).rglob("*")}
    assert is_finished(copied)
    execute(copied, lambda event: pytest.fail(f"nothing is to be done: {event}"))
    assert before == {path: path.stat().st_mtime_ns for path in Path(copied.units).rglob("*")}


def test_units_of_an_older_version_without_digests_are_finished(copied):
    record = read_record(copied.paths)
    del record["files"]
    copied.paths.record.write_text(json.dumps(record))
    assert is_finished(copied)


# Clocks


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


# Storage


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


# Failures


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
