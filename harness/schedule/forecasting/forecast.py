"""What a study will do and cost, said before it is done."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import torch
from rich.console import Console

from harness.data.clip import Source
from harness.data.coverage import two_sided_groups
from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths
from harness.plan import Count, Unit, confirm_units, counts, search_units
from harness.schedule.cautions import cautions, print_warnings
from harness.schedule.cluster.placing import Offer, requests, slots_of
from harness.schedule.forecasting.costs import Done, MethodCosts, each_costs, method_costs, pack_bytes
from harness.schedule.forecasting.forecast_text import basis_line, costs_table, slots_line, storage_line, trials_table
from harness.schedule.forecasting.stored_costs import stored_costs
from harness.schedule.operate.driver import read_progress
from harness.schedule.operate.wanted import Found, Wanted, look, wanted_by
from harness.schedule.run import open_study, pick_device
from harness.spec.load import anchored, load_study
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
    over = is_over(study, run)
    costs = estimate(study, source, run, found, over=over)
    parallel = slots or slots_here(study)
    console.print(f"{study.name}: {study.question}", markup=False, highlight=False)
    print_warnings(cautions(study), console)
    print_warnings(two_sided_groups(source, study.folds), console)
    console.print(trials_table(study, found))
    console.print(costs_table(study, costs, parallel, over=over))
    console.print(basis_line(costs), markup=False, highlight=False)
    console.print(storage_line(costs, *pack_bytes(study, source)), highlight=False)
    if waiting := "" if over else slots_line(study, parallel):
        console.print(waiting, highlight=False)


def slots_here(study: StudySpec) -> int:
    """Trials that a Ray of our own runs at the same time; main memory is not looked at."""
    return slots_of(requests(study), [Offer("this machine", os.cpu_count() or 1, torch.cuda.device_count())])


def on_storage(study: StudySpec, source: Source, run: RunPaths) -> dict[Wanted, Found]:
    """The trials that are known now and what storage holds of each.

    Known are the recipes as written, and what a search has asked for so far: of this very study, or of one that differs
    in nothing that its searches see.
    """
    wanted = {one.key: one for one in _first(study, source)}
    if _searched_alike(study, run):
        known = (one for one in wanted_by(run) if study.methods[one.method].search)
        wanted |= {one.key: one for one in known if one.phase == "search" or one.seed in study.seeds}
    there = {path.name for path in run.units.iterdir()} if run.units.is_dir() else set()
    return {one: _look(run.unit(one.trial_id), one.phase, there) for one in wanted.values()}


def _look(paths: UnitPaths, phase: str, there: set[str]) -> Found:
    """What storage holds of a trial; of one that a search has halted, up to which epoch it was trained."""
    if paths.folder.name in there or paths.failure.name in there:
        return look(paths, phase)
    if paths.halts.name in there:
        return Found(state="halted", record={"epochs": max(paths.all_stopped(), default=0)})
    return Found(state="missing", record={})


def is_over(study: StudySpec, run: RunPaths) -> bool:
    """Whether this study, as it is written now, was run to its end, so that its searches ask for nothing more."""
    return _same_study(study, run) and read_progress(run).get("state") == "finished"


def _same_study(study: StudySpec, run: RunPaths) -> bool:
    """Whether this study, as it is written now, is the one that was run last and said what it asks for."""
    return _run_last(run) == study


def _searched_alike(study: StudySpec, run: RunPaths) -> bool:
    """Whether the study that was run last and said what it asks for differs in nothing that a search sees."""
    before = _run_last(run)
    unseen = {name: getattr(study, name) for name in ("question", "seeds", "stress", "resources")}
    return before is not None and before.model_copy(update=unseen) == study


def _run_last(run: RunPaths) -> StudySpec | None:
    """The study that was run last, if it said what it asks for."""
    try:
        return anchored(load_study(run.study_file)) if run.wanted.exists() else None
    except HarnessError:
        return None


def estimate(
    study: StudySpec, source: Source, run: RunPaths, found: dict[Wanted, Found], *, over: bool
) -> list[MethodCosts]:
    """Time and storage by method, from finished trials where there are any, else measured on this machine."""
    device = pick_device(study)
    stored, done, asked = stored_costs(run, found), _done(found, over), requests(study)
    return [
        method_costs(
            study,
            name,
            each_costs(study, source, name, stored.get(name), device if asked[name].gpus else "cpu"),
            _asked(name, found) if over else count,
            done.get(name, Done()),
            asked[name].gpus,
        )
        for name, count in counts(study).items()
    ]


def _asked(method: str, found: dict[Wanted, Found]) -> Count:
    """What a method has asked for whose search is over."""
    mine = {one: seen for one, seen in found.items() if one.method == method}
    phases = Counter(one.phase for one in mine)
    epochs = sum(_trained(one, seen) or one.epochs for one, seen in mine.items())
    return Count(search=phases["search"], confirm=phases["confirm"], epochs=epochs)


def _trained(one: Wanted, seen: Found) -> int:
    """Epochs that storage holds of a trial."""
    return int(seen.record["epochs"]) if seen.state == "halted" else one.epochs * seen.trained


def _done(found: dict[Wanted, Found], over: bool) -> dict[str, Done]:
    """Finished trials and trained epochs by method; once a search is over, what it has halted does not go on."""
    trials, epochs = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one, seen in found.items():
        trials[one.method, one.phase] += seen.state in {"done", "diverged"} or (over and seen.state == "halted")
        epochs[one.method, one.phase] += _trained(one, seen)
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
