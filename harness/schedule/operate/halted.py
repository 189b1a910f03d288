"""Trainings that a search has halted for good: their results stay, the states from which they could go on are spare.

A state holds the weights several times over. Once a study is over, only another search, with other rules, could go on
from it, and would come to the same result without it.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.paths import RunPaths, UnitPaths
from harness.schedule.operate.driver import driver_of, read_progress
from harness.schedule.operate.wanted import wanted_by


def given_up(runs: Iterable[RunPaths], ending: RunPaths | None = None) -> list[UnitPaths]:
    """Halted trainings of studies that are over, unless a study that is not over asks for them too.

    One that failed is not among them, because it is tried again from its state.

    Args:
        runs: all studies of a runs folder.
        ending: one of them that is over although its driver, the caller, still lives.
    """
    over: dict[str, UnitPaths] = {}
    open_ids: set[str] = set()
    for run in runs:
        ids = {one.trial_id for one in wanted_by(run)} if run.wanted.exists() else set()
        if run == ending or _is_over(run):
            over |= {trial_id: run.unit(trial_id) for trial_id in ids}
        else:
            open_ids |= ids
    return [paths for trial_id, paths in sorted(over.items()) if trial_id not in open_ids and _is_halted(paths)]


def earlier_halts(paths: UnitPaths) -> list[UnitPaths]:
    """All halts of a training but the furthest, which tells what they tell."""
    return list(paths.all_stopped().values())[1:]


def forget_states(run: RunPaths, runs: Iterable[RunPaths]) -> dict[str, int]:
    """Delete the states of a study's halted trainings at its end; the bytes that this frees, by trial."""
    mine = {one.trial_id for one in wanted_by(run)}
    freed = {}
    for paths in given_up(runs, ending=run):
        if paths.folder.name in mine and paths.resume.exists():
            freed[paths.folder.name] = paths.resume.stat().st_size
            paths.resume.unlink()
    return freed


def _is_over(run: RunPaths) -> bool:
    return read_progress(run).get("state") == "finished" and driver_of(run) is None


def _is_halted(paths: UnitPaths) -> bool:
    return paths.halts.is_dir() and not paths.record.exists() and not paths.failure.exists()
