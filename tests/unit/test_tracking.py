"""Watching a run: what arrives where, and that it never stands in the run's way."""

import json
import logging
import sys
import threading
import types
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import masked_crc32c

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.plan import Unit, confirm_units
from harness.schedule import tracking
from harness.schedule.tracking import name_of, tracked, tracker_of
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


class Heard:
    """A tracker that writes down what it is told; instead of that a call may do something else."""

    def __init__(self, **instead: Callable[[], object]) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.instead = instead

    def _note(self, name: str, *told: object) -> None:
        self.calls.append((name, *told))
        self.instead.get(name, lambda: None)()

    def begin(self, unit: Unit) -> None:
        """A trial starts."""
        self._note("begin")

    def epoch(self, unit: Unit, number: int, values: Mapping[str, float]) -> None:
        """An epoch has ended."""
        self._note("epoch", number)

    def end(self, unit: Unit, results: Mapping[str, float], *, failed: bool) -> None:
        """A trial has ended."""
        self._note("end", failed)


def listens(monkeypatch: pytest.MonkeyPatch, tracker: Heard) -> None:
    monkeypatch.setattr(tracking, "tracker_of", lambda _: lambda _: tracker)


def gone() -> None:
    raise ConnectionError("gone")


def test_a_tracker_that_breaks_is_named_once_and_the_run_goes_on(run, unit, monkeypatch, caplog):
    tracker = Heard(epoch=gone)
    listens(monkeypatch, tracker)
    seen = []
    with caplog.at_level(logging.WARNING), tracked(lambda _, event: seen.append(event["kind"]), run, "wandb") as watch:
        for event in ({"kind": "started"}, EPOCH, EPOCH, ENDED):
            watch(unit, event)
    assert seen == ["started", "epoch", "epoch", "ended"]
    assert tracker.calls == [("begin",), ("epoch", 1)]
    assert len([one for one in caplog.messages if "ConnectionError: gone" in one]) == 1


def test_a_trial_that_was_interrupted_is_closed(run, unit, monkeypatch):
    tracker = Heard()
    listens(monkeypatch, tracker)

    def interrupted() -> None:
        with tracked(lambda *_: None, run, "mlflow") as watch:
            watch(unit, {"kind": "started"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert tracker.calls == [("begin",), ("end", True)]


def test_a_server_that_does_not_answer_holds_nobody_up(run, unit, monkeypatch, caplog):
    asked, answered = threading.Event(), threading.Event()
    listens(monkeypatch, Heard(begin=lambda: (asked.set(), answered.wait(60))))
    monkeypatch.setattr(tracking, "CLOSE_SECONDS", 0.1)
    seen = []
    with caplog.at_level(logging.WARNING), tracked(lambda _, event: seen.append(event["kind"]), run, "wandb") as watch:
        watch(unit, {"kind": "started"})
        assert asked.wait(10)
        watch(unit, EPOCH)
    assert seen == ["started", "epoch"]
    assert "not caught up" in caplog.text
    answered.set()


def test_a_study_that_has_nothing_to_do_opens_no_tracker(run, monkeypatch):
    opened = []
    monkeypatch.setattr(tracking, "tracker_of", lambda _: opened.append)
    with tracked(lambda *_: None, run, "mlflow"):
        pass
    assert not opened


def test_a_trial_that_a_search_has_halted_has_not_failed_and_goes_on(run, unit, monkeypatch):
    tracker = Heard()
    listens(monkeypatch, tracker)
    with tracked(lambda *_: None, run, "mlflow") as watch:
        for status in ("stopped", "diverged"):
            watch(unit, {"kind": "started"})
            watch(unit, {"kind": "ended", "status": status})
    assert tracker.calls == [("begin",), ("end", False), ("begin",), ("end", True)]


@pytest.mark.parametrize("track", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_named_with_its_extra(track, run, monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    with pytest.raises(HarnessError, match=rf"dferbench\[{track}\]"):
        tracker_of(track)


class WandbRun:
    """A run of a stand-in for wandb, which writes down what is done to it."""

    def __init__(self, calls: list, given: dict) -> None:
        self.calls = calls
        self.summary = types.SimpleNamespace(update=lambda values: calls.append(("summary", values)))
        calls.append(("init", given))

    def log(self, values: dict, step: int) -> None:
        """A point on each curve."""
        self.calls.append(("log", (step, values)))

    def finish(self, exit_code: int) -> None:
        """Closed."""
        self.calls.append(("finish", exit_code))


@pytest.fixture
def wandb_calls(monkeypatch) -> list:
    """What a stand-in for wandb is told; nobody is logged in."""
    import ray.air.integrations.wandb  # noqa: F401 - with the library itself, where there is one

    calls: list = []
    fake = types.ModuleType("wandb")
    fake.__spec__ = ModuleSpec("wandb", None)
    fake.init = lambda **given: WandbRun(calls, given)
    fake.Settings = lambda **given: given
    fake.login = lambda **_: False
    monkeypatch.setitem(sys.modules, "wandb", fake)
    imported = {"wandb": fake, "Image": Event, "Video": Event, "WBValue": Event, "json_dumps_safer": json.dumps}
    for name, value in imported.items():
        monkeypatch.setattr(f"ray.air.integrations.wandb.{name}", value, raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")
    return calls


@pytest.mark.uses_global_rng
def test_weights_and_biases_gets_a_run_for_each_trial_in_a_group_for_each_method(run, unit, wandb_calls):
    with tracked(lambda *_: None, run, "wandb") as watch:
        for event in ({"kind": "started"}, EPOCH, ENDED):
            watch(unit, event)
    assert [kind for kind, _ in wandb_calls] == ["init", "log", "summary", "finish"]
    (_, given), (_, (step, values)), _, (_, code) = wandb_calls
    assert (given["project"], given["group"], given["job_type"]) == ("dferbench", "watched/hdf", "confirm")
    assert given["id"] == f"watched-confirm-0-{unit.trial.trial_id}"
    assert given["config"]["optimizer.sam.rho"] == 0.02
    assert (step, values["train/loss"], code) == (1, 0.5, 0)
    assert "mode" not in given  # WANDB_MODE says


@pytest.mark.uses_global_rng
def test_an_interrupted_run_closes_its_trials_there_and_they_go_on_under_the_same_names(run, unit, wandb_calls):
    def interrupted() -> None:
        with tracked(lambda *_: None, run, "wandb") as watch:
            watch(unit, {"kind": "started"})
            watch(unit, EPOCH)
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    assert [kind for kind, _ in wandb_calls] == ["init", "log", "summary", "finish"] * 2
    first, again = (given for kind, given in wandb_calls if kind == "init")
    assert first["id"] == again["id"]
    assert first["resume"] == "allow"
    assert wandb_calls[3] == ("finish", 1)


@pytest.mark.uses_global_rng
def test_without_a_key_nothing_is_sent_and_nobody_is_asked(run, unit, wandb_calls, monkeypatch, caplog):
    monkeypatch.delenv("WANDB_MODE")
    with caplog.at_level(logging.WARNING), tracked(lambda *_: None, run, "wandb") as watch:
        watch(unit, {"kind": "started"})
    assert wandb_calls[0][1]["mode"] == "offline"
    assert str(run.folder / "wandb") in caplog.text


@pytest.mark.slow
@pytest.mark.uses_global_rng
@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
def test_mlflow_gets_one_run_for_each_trial_in_a_file_of_the_study(run, unit, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for events in (
        ({"kind": "started"}, EPOCH),
        ({"kind": "started"}, {**EPOCH, "epoch": 2, "train_loss": 0.25}, ENDED),
    ):
        with tracked(lambda *_: None, run, "mlflow") as watch:
            for event in events:
                watch(unit, event)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{run.folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("dferbench/watched")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.metrics["result/val_uar"] == pytest.approx(0.3)
    assert found.data.params["optimizer.sam.rho"] == "0.02"
    assert found.data.tags["method"] == "hdf"
    history = client.get_metric_history(found.info.run_id, "train/loss")
    assert [(one.step, one.value) for one in history] == [(1, 0.5), (2, 0.25)]


@pytest.mark.slow
@pytest.mark.uses_global_rng
def test_weights_and_biases_writes_offline(run, unit, monkeypatch):
    wandb = pytest.importorskip("wandb")
    for name in ("WANDB_MODE", "WANDB_SILENT"):
        monkeypatch.setenv(name, {"WANDB_MODE": "offline"}.get(name, "true"))
    with tracked(lambda *_: None, run, "wandb") as watch:
        for event in ({"kind": "started"}, EPOCH, {**EPOCH, "epoch": 2}, ENDED):
            watch(unit, event)
    wandb.teardown()
    (file,) = run.folder.glob("wandb/offline-run-*/*.wandb")
    assert b"watched/hdf" in file.read_bytes()
