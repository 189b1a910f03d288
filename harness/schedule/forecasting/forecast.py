"""What a study will do and cost, said before it is done."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from rich.console import Console

from harness.data.clip import Source
from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.plan import Unit, confirm_units, counts, search_units
from harness.schedule.cluster.placing import requests
from harness.schedule.forecasting.costs import Done, MethodCosts, each_costs, method_costs, pack_bytes
from harness.schedule.forecasting.forecast_text import costs_table, storage_line, trials_table
from harness.schedule.forecasting.stored_costs import stored_costs
from harness.schedule.operate.wanted import Found, Wanted, look, wanted_by
from harness.schedule.run import open_study, pick_device
from harness.spec.load import load_study
from harness.spec.study import StudySpec
from harness.train.preflight import check_plugins, data_ref, open_dataset


def forecast(file: Path, out: Path, slots: int, console: Console) -> None:
    """Check a study, then print its trials, what storage already holds, and what the rest will cost.

    Raises:
        HarnessError: for whatever would fail later, except videos that cannot be decoded.
    """
    study = open_study(file)
    source = open_dataset(study)
    check_plugins(study, source)
    run = RunPaths(out, study.name)
    found = on_storage(study, source, run)
    costs = estimate(study, source, run, found)
    cpus = max(request.cpus for request in requests(study).values())
    parallel = slots or max(1, int((os.cpu_count() or 1) / cpus))
    console.print(f"{study.name}: {study.question}", highlight=False)
    console.print(trials_table(study, found))
    console.print(costs_table(study, costs, parallel))
    console.print(storage_line(costs, *pack_bytes(study, source)), highlight=False)


def on_storage(study: StudySpec, source: Source, run: RunPaths) -> dict[Wanted, Found]:
    """The trials that are known now and what storage holds of each.

    Known are the recipes as written, and what a search of this very study has asked for so far.
    """
    wanted = {one.key: one for one in _first(study, source)}
    if _same_study(study, run):
        wanted |= {one.key: one for one in wanted_by(run) if study.methods[one.method].search}
    there = {path.name for path in run.units.iterdir()} if run.units.is_dir() else set()
    missing = Found(state="missing", record={})
    return {
        one: look(run.unit(one.trial_id), one.phase)
        if one.trial_id in there or f"{one.trial_id}.failed.json" in there
        else missing
        for one in wanted.values()
    }


def _same_study(study: StudySpec, run: RunPaths) -> bool:
    """Whether this study, as it is written now, is the one that was run last and said what it asks for."""
    try:
        return run.wanted.exists() and load_study(run.study_file) == study
    except HarnessError:
        return False


def estimate(study: StudySpec, source: Source, run: RunPaths, found: dict[Wanted, Found]) -> list[MethodCosts]:
    """Time and storage by method, from finished trials where there are any, else measured on this machine."""
    device = pick_device(study)
    stored, done, asked = stored_costs(run, found), _done(found), requests(study)
    return [
        method_costs(
            study,
            name,
            each_costs(study, source, name, stored.get(name), device),
            count,
            done.get(name, Done()),
            asked[name].gpus,
        )
        for name, count in counts(study).items()
    ]


def _done(found: dict[Wanted, Found]) -> dict[str, Done]:
    """Finished trials and trained epochs by method."""
    trials, epochs = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one, seen in found.items():
        trials[one.method, one.phase] += seen.state in {"done", "diverged"}
        epochs[one.method, one.phase] += one.epochs * (seen.state in {"done", "diverged", "untested"})
    return {
        method: Done(
            search=trials[method, "search"],
            confirm=trials[method, "confirm"],
            search_epochs=epochs[method, "search"],
            confirm_epochs=epochs[method, "confirm"],
        )
        for method in {one.method for one in found}
    }


def _first(study: StudySpec, source: Source) -> list[Wanted]:
    """The trials that are known before any search."""
    dataset = data_ref(study, source)
    units: list[Unit] = []
    for name, method in study.methods.items():
        if method.search:
            units += search_units(study, dataset, name, 0, {})
        else:
            units += confirm_units(study, dataset, name, 0, {})
    return [
        Wanted(
            method=unit.method,
            phase=unit.phase,
            configuration=unit.configuration,
            fold=unit.trial.fold,
            seed=unit.trial.seed,
            epochs=unit.trial.training.epochs,
            trial_id=unit.trial.trial_id,
        )
        for unit in units
    ]
