"""Clearing trials that have no result, so that the next run tries them again."""

from __future__ import annotations

import json
from typing import NamedTuple

from harness.paths import RunPaths
from harness.schedule.operate.driver import exclusive, read_progress
from harness.schedule.operate.wanted import Wanted, look, wanted_by
from harness.tables.store import write_text
from harness.tables.temporary import hidden_name, remove


class Cleared(NamedTuple):
    """The trials that will be tried again."""

    failed: list[Wanted]
    diverged: list[Wanted]


def clear(run: RunPaths, *, failed: bool, diverged: bool) -> Cleared:
    """Forget failures, and the results of diverged trainings if asked to; finished trials are never touched.

    Raises:
        HarnessError: if the study was never started here, or is being run now.
    """
    wanted = wanted_by(run)
    with exclusive(run):
        progress = read_progress(run)
        told = dict(progress.get("failed", {}))
        states = {one.key: _state(run, one, told) for one in wanted}
        cleared = Cleared(
            failed=[one for one in wanted if failed and states[one.key] == "failed"],
            diverged=[one for one in wanted if diverged and states[one.key] == "diverged"],
        )
        for one in cleared.failed:
            run.unit(one.trial_id).failure.unlink(missing_ok=True)
            told.pop(one.key, None)
        for trial_id in {one.trial_id for one in cleared.diverged}:
            _delete_folder(run, trial_id)
        if progress:
            write_text(json.dumps({**progress, "failed": told}), run.progress)
    return cleared


def _state(run: RunPaths, one: Wanted, told: dict[str, str]) -> str:
    """A trial's state; one whose worker left no trace has failed if the driver said so."""
    state = look(run.unit(one.trial_id), one.phase).state
    return "failed" if state in {"missing", "untested"} and one.key in told else state


def _delete_folder(run: RunPaths, trial_id: str) -> None:
    """First under a hidden name, so that a folder that exists stays a finished one."""
    folder = run.unit(trial_id).folder
    hidden = folder.with_name(hidden_name(folder.name))
    folder.rename(hidden)
    remove(hidden)
