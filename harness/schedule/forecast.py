"""What a study will do and cost, said before it is done."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from harness.data.clip import Source
from harness.data.split import carve
from harness.paths import RunPaths
from harness.plan import Count, Unit, confirm_units, counts, search_units
from harness.schedule.clock import clock
from harness.schedule.run import open_study, pick_device
from harness.spec.study import StudySpec
from harness.train.preflight import check_plugins, data_ref, open_dataset
from harness.train.timing import ClipSeconds, time_recipe

START_SECONDS = 12.0
"""Starting Ray and its workers, once per study (measured 8 to 15 s on two cores)."""


def forecast(file: Path, out: Path, slots: int, console: Console) -> None:
    """Check a study, then print its trials, what storage already holds, and the time the rest will take.

    Raises:
        HarnessError: for whatever would fail later, except videos that cannot be decoded.
    """
    study = open_study(file)
    source = open_dataset(study)
    check_plugins(study, source)
    run = RunPaths(out, study.name)
    device = torch.device(pick_device(study))
    fold = carve(source, study.folds[0], study.validation)
    timings = {
        name: time_recipe(method.recipe, source, fold, study.clip, study.training, device)
        for name, method in study.methods.items()
    }
    console.print(f"{study.name}: {study.question}", highlight=False)
    console.print(_trials(study, source, run))
    parallel = slots or max(1, int((os.cpu_count() or 1) / study.resources.cpus))
    console.print(_costs(study, source, timings, parallel))


def _first_units(study: StudySpec, source: Source) -> list[Unit]:
    """The units that are known before any search: configuration 0 of every method."""
    dataset = data_ref(study, source)
    units: list[Unit] = []
    for name, method in study.methods.items():
        if method.search:
            units += search_units(study, dataset, name, 0, {})
        units += confirm_units(study, dataset, name, 0, {})
    return units


def _trials(study: StudySpec, source: Source, run: RunPaths) -> Table:
    """The trial table: what is known now; configurations that a search has yet to ask have no id."""
    table = Table(title="Trials known now; a search asks for more as it goes", title_justify="left")
    for name in ("method", "phase", "fold", "seed", "trial", "on storage"):
        table.add_column(name)
    for unit in _first_units(study, source):
        searched = bool(study.methods[unit.method].search) and unit.phase == "confirm"
        found = run.unit(unit.trial.trial_id).record.exists()
        table.add_row(
            unit.method + (" #0" if unit.phase == "search" else ""),
            unit.phase,
            str(unit.trial.fold),
            str(unit.trial.seed),
            "chosen by the search" if searched else unit.trial.trial_id,
            "yes" if found and not searched else "",
        )
    return table


def _costs(study: StudySpec, source: Source, timings: dict[str, ClipSeconds], slots: int) -> Table:
    """Trainings, epochs and time per method, from the measured seconds per clip."""
    table = Table(title_justify="left")
    for name in ("method", "search trials", "confirm trials", "epochs", "ms per clip", "time"):
        table.add_column(name, justify="left" if name == "method" else "right")
    fold = carve(source, study.folds[0], study.validation)
    total, trials = 0.0, 0
    for name, count in counts(study).items():
        seconds = _seconds(study, count, timings[name], (len(fold.train), len(fold.val), len(fold.test)))
        total, trials = total + seconds, trials + count.search + count.confirm
        cells = (count.search, count.confirm, count.epochs, f"{1e3 * timings[name].train:.1f}", clock(seconds))
        table.add_row(name, *map(str, cells))
    wall = total / slots + START_SECONDS
    conditions = len(study.stress.conditions)
    table.title = (
        f"{trials} trials, {conditions} conditions (clean included): about {clock(total)} of work, "
        f"{clock(wall)} on {slots} slots; each confirm trial tests {len(fold.test)} clips per condition"
    )
    return table


def _seconds(study: StudySpec, count: Count, cost: ClipSeconds, clips: tuple[int, int, int]) -> float:
    """Seconds of one method's trials, one after another."""
    train, val, test = clips
    fitting = count.epochs * (train * cost.train + val * cost.forward)
    return fitting + count.confirm * test * len(study.stress.conditions) * cost.forward
