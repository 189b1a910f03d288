"""Files that turn out to be damaged only when they are read: put aside, and made anew by the same command."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.errors import DamagedError, HarnessError
from harness.paths import RunPaths
from harness.schedule.operate.wanted import wanted_by
from harness.train.quarantine import mend

Result = TypeVar("Result")

logger = logging.getLogger("dferbench")


def whole(run: RunPaths, once: Callable[[], Result]) -> Result:
    """What a call gives on a runs folder; it is made again when it meets a damaged file of a trial.

    All trials of the study are then read whole, because damage rarely comes alone.

    Raises:
        DamagedError: for a file that is no trial's, or was made anew and is damaged again.
    """
    met = set[Path]()
    while True:
        try:
            return once()
        except DamagedError as error:
            logger.warning("%s Every trial of the study is looked through.", error)
            if error.path in met or not _mended(run, error.path):
                raise
            met.add(error.path)


def _mended(run: RunPaths, damaged: Path) -> bool:
    """Put aside every damaged file of the study's trials and of the one that was met; whether that is gone."""
    for trial_id in sorted({*_wanted(run), *_trial_of(run, damaged)}):
        unit = run.unit(trial_id)
        for paths in (unit, *unit.all_stopped().values()):
            mend(paths)
    return not damaged.exists()


def _wanted(run: RunPaths) -> set[str]:
    """The trials that the study is known to ask for; a run that has just begun may not have said so yet."""
    try:
        return {one.trial_id for one in wanted_by(run)}
    except HarnessError:
        return set()


def _trial_of(run: RunPaths, file: Path) -> set[str]:
    """The trial that a file belongs to, from the folder that it lies in."""
    units = run.units.absolute()
    if not file.absolute().is_relative_to(units):
        return set()
    return {file.absolute().relative_to(units).parts[0].lstrip(".").partition(".")[0]}
