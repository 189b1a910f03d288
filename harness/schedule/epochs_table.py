"""The epochs of a study's finished trials in one table, of which only the new trials are read."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.tables import schema, store


def epochs_of(run: RunPaths, trial_ids: Iterable[str]) -> pd.DataFrame:
    """The epochs of these trials: rows that the study's table has already, and the files of the others.

    A finished trial's epochs never change, so a study that goes on costs what is new in it.
    """
    wanted = set(trial_ids)
    before = _before(run)
    before = before[before["trial_id"].isin(wanted)]
    new = sorted(wanted - set(before["trial_id"]))
    added = store.read_many((run.unit(trial_id).epochs for trial_id in new), schema.EPOCHS)
    frames = [frame for frame in (before, added) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else added


def _before(run: RunPaths) -> pd.DataFrame:
    """The table as an earlier run left it; empty if there is none that can be read."""
    try:
        return store.read(run.table("epochs"), schema.EPOCHS)
    except HarnessError:
        return store.read_many([], schema.EPOCHS)
