"""Trainings to be watched while they run: TensorBoard always, MLflow or Weights & Biases on request.

What is watched is what the driver hears of every trial, wherever it runs. Watching changes no result and holds nothing
up, and when it breaks the run goes on without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Thread
from typing import Any, Literal, Protocol, runtime_checkable

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.plan import Unit

Track = Literal["tensorboard", "mlflow", "wandb", "none"]
OnEvent = Callable[[Unit, Mapping[str, Any]], None]
MODULES = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}
RESULTS = ("val_war", "val_uar", "selected_epoch", "seconds", "peak_memory_mb", "parameters")
"""What is told of a trial that has ended."""
WELL = ("done", "stopped")
"""How a trial ends that did not fail; one that a search has halted may go on."""
CLOSE_SECONDS = 60.0
"""How long a run that has ended waits for its tracker."""

logger = logging.getLogger("dferbench")


@runtime_checkable
class Tracker(Protocol):
    """Where trainings are watched."""

    def begin(self, unit: Unit) -> None:
        """A trial starts, or goes on after a halt or an interruption."""
        ...

    def epoch(self, unit: Unit, number: int, values: Mapping[str, float]) -> None:
        """An epoch has ended."""
        ...

    def end(self, unit: Unit, results: Mapping[str, float], *, failed: bool) -> None:
        """A trial has ended."""
        ...


@contextmanager
def tracked(watch: OnEvent, run: RunPaths, track: Track) -> Iterator[OnEvent]:
    """Those who watch a run, and a tracker beside them.

    Raises:
        HarnessError: if the tracker is not installed.
    """
    if track == "none":
        yield watch
        return
    told = _Told(tracker_of(track), run)

    def both(unit: Unit, event: Mapping[str, Any]) -> None:
        watch(unit, event)
        told(unit, event)

    try:
        yield both
    finally:
        told.close()


def tracker_of(track: Track) -> Callable[[RunPaths], Tracker]:
    """What opens the tracker of a name.

    Raises:
        HarnessError: if it is not known or not installed.
    """
    if track not in MODULES:
        raise HarnessError(f"--track {track}: choose tensorboard, mlflow, wandb or none.")
    if find_spec(MODULES[track]) is None:
        raise HarnessError(f"--track {track}: {MODULES[track]} is not installed: pip install 'dferbench[{track}]'.")
    if track == "tensorboard":
        return TensorBoard
    if track == "mlflow":
        from harness.schedule.cluster.ray_mlflow import MlflowTracker

        return MlflowTracker
    from harness.schedule.cluster.ray_wandb import WandbTracker

    return WandbTracker


class TensorBoard:
    """A folder of event files for each trial, for ``tensorboard --logdir``."""

    def __init__(self, run: RunPaths) -> None:
        self._folder = run.tensorboard
        self._writers: dict[str, Any] = {}

    def begin(self, unit: Unit) -> None:
        """Open the trial's file."""
        from tensorboardX import SummaryWriter

        self._writers[name_of(unit)] = SummaryWriter(logdir=str(self._folder / name_of(unit)), flush_secs=10)

    def epoch(self, unit: Unit, number: int, values: Mapping[str, float]) -> None:
        """A point on each curve."""
        for name, value in values.items():
            self._writers[name_of(unit)].add_scalar(name, value, number)

    def end(self, unit: Unit, results: Mapping[str, float], *, failed: bool) -> None:
        """A line in the table of hyperparameters."""
        writer = self._writers.pop(name_of(unit))
        if not failed:
            named = {f"result/{name}": value for name, value in results.items()}
            writer.add_hparams(hyperparameters(unit), named, name="hparams")
        writer.close()


class _Told:
    """Tells a tracker what happens, from a thread of its own, and lets go of it when it breaks.

    A server that is slow, or that has gone away, so holds up nobody.
    """

    def __init__(self, tracker: Callable[[RunPaths], Tracker], run: RunPaths) -> None:
        self._tracker, self._run = tracker, run
        self._open: dict[str, Unit] = {}
        self._events: SimpleQueue[tuple[Unit, Mapping[str, Any]] | None] = SimpleQueue()
        self._thread = Thread(target=self._listen, name="dferbench-tracking", daemon=True)
        self._thread.start()

    def __call__(self, unit: Unit, event: Mapping[str, Any]) -> None:
        self._events.put((unit, event))

    def close(self) -> None:
        """Wait until all was told, so that nothing is lost, but not for ever."""
        self._events.put(None)
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            logger.warning("Watching had not caught up %.0f s after the run; the rest is not told.", CLOSE_SECONDS)

    def _listen(self) -> None:
        try:
            self._tell_all()
        except Exception as error:
            logger.warning("Watching stopped (%s: %s); the run goes on.", type(error).__name__, error)

    def _tell_all(self) -> None:
        """Every event, then the end of trials that were interrupted; without any, no tracker is opened."""
        told = self._events.get()
        if told is None:
            return
        tracker = self._tracker(self._run)
        while told:
            self._tell(tracker, *told)
            told = self._events.get()
        for unit in list(self._open.values()):
            self._tell(tracker, unit, {"kind": "ended", "status": "interrupted"})

    def _tell(self, tracker: Tracker, unit: Unit, event: Mapping[str, Any]) -> None:
        kind, name = event["kind"], name_of(unit)
        if kind == "started" and name not in self._open:
            tracker.begin(unit)
            self._open[name] = unit
        elif kind == "epoch" and name in self._open:
            tracker.epoch(unit, int(event["epoch"]), scalars(event))
        elif kind == "ended" and name in self._open:
            del self._open[name]
            results = {one: float(event[one]) for one in RESULTS if event.get(one) is not None}
            tracker.end(unit, results, failed=event.get("status") not in WELL)


def name_of(unit: Unit) -> str:
    """A trial's folder or name: method, phase and configuration, then fold, seed and the beginning of its id."""
    phase = f"search-{unit.configuration}" if unit.phase == "search" else unit.phase
    return f"{unit.method}/{phase}/fold-{unit.trial.fold}-seed-{unit.trial.seed}-{unit.trial.trial_id[:8]}"


def scalars(event: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an epoch, by name; ``train_`` and ``val_`` become groups.

    >>> scalars({"kind": "epoch", "epoch": 2, "train_loss": 0.5, "train_parts": [("dsm", 0.1)], "val_uar": 0.3})
    {'train/loss': 0.5, 'train/part/dsm': 0.1, 'val/uar': 0.3}
    """
    found: dict[str, float] = {}
    for name, value in event.items():
        grouped = name.replace("train_", "train/", 1).replace("val_", "val/", 1)
        if name == "train_parts":
            found |= {f"train/part/{part}": float(number) for part, number in value}
        elif isinstance(value, int | float) and not isinstance(value, bool) and name != "epoch":
            found[grouped] = float(value)
    return found


def hyperparameters(unit: Unit) -> dict[str, str | int | float]:
    """What was set for a trial, flat, by dotted path."""
    recipe = _flat("", unit.trial.recipe.model_dump(mode="json"))
    training = _flat("training.", unit.trial.training.model_dump(mode="json"))
    return {
        "method": unit.method,
        "phase": unit.phase,
        "configuration": unit.configuration,
        "fold": unit.trial.fold,
        "seed": unit.trial.seed,
        **recipe,
        **training,
    }


def _flat(prefix: str, node: Mapping[str, Any]) -> dict[str, str | int | float]:
    found: dict[str, str | int | float] = {}
    for name, value in node.items():
        if isinstance(value, Mapping):
            found |= _flat(f"{prefix}{name}.", value)
        elif value is not None:
            found[f"{prefix}{name}"] = value if isinstance(value, int | float | str) else str(value)
    return found
