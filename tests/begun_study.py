"""A study that a driver began: what it left on storage, without a training."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.paths import RunPaths
from harness.schedule.brain import Brain
from harness.schedule.operate.driver import exclusive
from harness.schedule.operate.publisher import Publisher
from harness.schedule.progress import Progress, Total
from harness.spec.load import bundled_studies, load_study
from harness.spec.trial import DataRef
from harness.tables.store import write_text

QUICKSTART = load_study(bundled_studies()["quickstart"])
STUDY = QUICKSTART.model_copy(
    update={"search": None, "methods": {name: QUICKSTART.methods[name] for name in ("x3d", "resnet18_lstm")}}
)


def unstarted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    """A runs folder without a study, and an empty cache beside it."""
    monkeypatch.setenv("DFERBENCH_CACHE", str(folder / "cache"))
    (folder / "runs" / "units").mkdir(parents=True)
    return RunPaths(folder / "runs", STUDY.name)


def brain_of(run: RunPaths) -> Brain:
    """Its state machine, for which a trial with a record is finished."""
    return Brain(
        study=STUDY,
        dataset=DataRef(name="synthetic", fingerprint="abc"),
        askers={},
        is_finished=lambda unit: run.unit(unit.trial.trial_id).record.exists(),
        score=lambda unit: 0.5,
    )


def write_record(run: RunPaths, trial_id: str, *, tested: bool = True, **changes: Any) -> None:
    """A trial that has ended, evaluated if it was ``tested``."""
    record = {"status": "done", "error": "", "val_uar": 0.4, "seconds": 10.0, "created_at": "2026-01-01T00:00:00+00:00"}
    write_text(json.dumps({**record, **changes}), run.unit(trial_id).record)
    if tested:
        write_text("", run.unit(trial_id).folder / "predictions-test-v1-x.parquet")


def started(run: RunPaths, console: Console, state: str = "training") -> Brain:
    """A study that a driver began: one trial runs, all the others wait."""
    brain = brain_of(run)
    with (
        exclusive(run),
        Publisher(run, {}) as publisher,
        Progress(brain, Total(10, 100), publisher, console, True) as on,
    ):
        unit = brain.next()
        on(unit, {"kind": "started"})
        on(unit, {"kind": "epoch", "epoch": 1, "val_uar": 0.25})
    publish(run, state=state)
    return brain


def publish(run: RunPaths, **changes: Any) -> None:
    """Change what the driver said last."""
    progress = json.loads(run.progress.read_text())
    write_text(json.dumps({**progress, **changes}), run.progress)
