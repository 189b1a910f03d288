"""Watching a run: what arrives where, and that it never stands in the run's way."""

import logging
import types
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.plan import Unit, confirm_units
from harness.schedule import tracking
from harness.schedule.tracking import name_of, open_tracker, tracked
from harness.spec.load import parse_study
from harness.spec.trial import DataRef

STUDY = parse_study(
    """
name: watched
question: q
dataset: {name: synthetic}
folds: [1, 2]
methods:
  hdf: {model: {name: hdf, width: 1.0}, optimizer: {sam: {rho: 0.02}}}
""",
    "s",
)
EPOCH = {
    "kind": "epoch",
    "epoch": 1,
    "train_loss": 0.5,
    "train_parts": [("dsm", 0.25)],
    "val_uar": 0.3,
    "trial_id": "x",
}
ENDED = {"kind": "ended", "status": "done", "val_uar": 0.3, "selected_epoch": 1, "seconds": 2.0}


@pytest.fixture
def unit() -> Unit:
    return confirm_units(STUDY, DataRef(name="synthetic", fingerprint="f"), "hdf", 0, {})[0]


@pytest.fixture
def run(tmp_path) -> RunPaths:
    paths = RunPaths(tmp_path, "watched")
    paths.folder.mkdir()
    return paths


def events_of(file: Path) -> list[Event]:
    """The records of an event file: length, its sum, content, its sum (TensorFlow's TFRecord format)."""
    content, found = file.read_bytes(), []
    while content:
        size = int.from_bytes(content[:8], "little")
        record = content[12 : 12 + size]
        assert masked_crc32c(record) == int.from_bytes(content[12 + size : 16 + size], "little")
        found.append(Event.FromString(record))
        content = content[16 + size :]
    return found


@pytest.mark.uses_global_rng
def test_tensorboard_gets_a_curve_for_every_number_of_every_epoch(run, unit):
    with tracked(lambda *_: None, run, "tensorboard") as watch:
        watch(unit, {"kind": "started"})
        for number in (1, 2):
            watch(unit, {**EPOCH, "epoch": number})
        watch(unit, ENDED)
    folder = run.tensorboard / name_of(unit)
    (file,) = folder.glob("events*")
    points = {(value.tag, event.step): value.simple_value for event in events_of(file) for value in event.summary.value}
    assert points["train/loss", 2] == pytest.approx(0.5)
    assert points["train/part/dsm", 1] == pytest.approx(0.25)
    assert points["val/uar", 1] == pytest.approx(0.3)
    (settings,) = (folder / "hparams").glob("events*")
    tags = {value.tag for event in events_of(settings) for value in event.summary.value}
    assert "result/val_uar" in tags
    assert b"optimizer.sam.rho" in settings.read_bytes()


@pytest.mark.uses_global_rng
def test_a_run_is_watched_by_both_and_without_a_tracker_by_one(run, unit):
    for track in ("tensorboard", "none"):
        seen = []
        with tracked(lambda *one, seen=seen: seen.append(one), run, track) as watch:
            watch(unit, {"kind": "started"})
        assert seen == [(unit, {"kind": "started"})]


class Breaking:
    """A tracker whose server goes away at the first epoch."""

    calls = 0

    def begin(self, unit: Unit) -> None:
        """Fine."""

    def epoch(self, unit: Unit, number: int, values: object) -> None:
        """Not fine."""
        Breaking.calls += 1
        raise ConnectionError("gone")

    def end(self, unit: Unit, results: object, *, failed: bool) -> None:
        """Never reached."""
        raise AssertionError


def test_a_tracker_that_breaks_is_named_once_and_the_run_goes_on(run, unit, monkeypatch, caplog):
    monkeypatch.setattr(tracking, "open_tracker", lambda *_: Breaking())
    seen = []
    with caplog.at_level(logging.WARNING), tracked(lambda _, event: seen.append(event["kind"]), run, "wandb") as watch:
        for event in ({"kind": "started"}, EPOCH, EPOCH, ENDED):
            watch(unit, event)
    assert seen == ["started", "epoch", "epoch", "ended"]
    assert Breaking.calls == 1
    assert len([one for one in caplog.messages if "ConnectionError: gone" in one]) == 1


def test_a_trial_that_was_interrupted_is_closed(run, unit, monkeypatch):
    told = []
    tracker = types.SimpleNamespace(
        begin=lambda _: None, epoch=lambda *_: None, end=lambda _, results, failed: told.append((results, failed))
    )
    monkeypatch.setattr(tracking, "open_tracker", lambda *_: tracker)

    def interrupted() -> None:
        with tracked(lambda *_: None, run, "mlflow") as watch:
            watch(unit, {"kind": "started"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert told == [({}, True)]


@pytest.mark.parametrize("track", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_named_with_its_extra(track, run, monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    with pytest.raises(HarnessError, match=rf"dferbench\[{track}\]"):
        open_tracker(track, run)


def test_weights_and_biases_is_spoken_to_as_its_library_wants(run, unit, monkeypatch):
    calls = []
    fake = types.ModuleType("wandb")
    fake.__spec__ = ModuleSpec("wandb", None)
    opened = types.SimpleNamespace(
        log=lambda values: calls.append(("log", values)),
        summary=types.SimpleNamespace(update=lambda values: calls.append(("summary", values))),
        finish=lambda exit_code: calls.append(("finish", exit_code)),
    )
    fake.init = lambda **given: (calls.append(("init", given)), opened)[1]
    monkeypatch.setitem(__import__("sys").modules, "wandb", fake)
    with tracked(lambda *_: None, run, "wandb") as watch:
        for event in ({"kind": "started"}, EPOCH, ENDED):
            watch(unit, event)
    kinds = [kind for kind, _ in calls]
    assert kinds == ["init", "log", "summary", "finish"]
    given = calls[0][1]
    assert given["group"] == "watched"
    assert given["config"]["optimizer.sam.rho"] == 0.02
    assert calls[1][1]["train/loss"] == 0.5
    assert calls[3] == ("finish", 0)


@pytest.mark.slow
@pytest.mark.uses_global_rng
@pytest.mark.filterwarnings("ignore")
def test_mlflow_gets_a_run_for_each_trial_in_a_file_of_the_study(run, unit, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with tracked(lambda *_: None, run, "mlflow") as watch:
        for event in ({"kind": "started"}, EPOCH, {**EPOCH, "epoch": 2, "train_loss": 0.25}, ENDED):
            watch(unit, event)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{run.folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("dferbench/watched")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.metrics["result/val_uar"] == pytest.approx(0.3)
    assert found.data.params["optimizer.sam.rho"] == "0.02"
    history = client.get_metric_history(found.info.run_id, "train/loss")
    assert [(one.step, one.value) for one in history] == [(1, 0.5), (2, 0.25)]


@pytest.mark.slow
@pytest.mark.uses_global_rng
@pytest.mark.filterwarnings("ignore")
def test_weights_and_biases_writes_offline(run, unit, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    with tracked(lambda *_: None, run, "wandb") as watch:
        for event in ({"kind": "started"}, EPOCH, ENDED):
            watch(unit, event)
    assert list(run.folder.glob("wandb/offline-run-*/*.wandb"))
