"""What finished trials of a study tell of its cost: seconds an epoch, seconds of testing, bytes on storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from math import fsum
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from harness.paths import RunPaths
from harness.schedule.operate.driver import read_progress
from harness.schedule.operate.wanted import Found, Wanted

WEIGHED = 20
"""Trials of a method whose files are weighed; their sizes hardly differ."""
COSTS = ("search_epoch", "confirm_epoch", "testing", "search_bytes", "confirm_bytes")
"""What the cost of a trial is made of, see ``costs.Each``."""


class PhaseCosts(NamedTuple):
    """Seconds of an epoch, and bytes of a finished trial's files, ``None`` if none is finished."""

    epoch: float
    num_bytes: float | None


@dataclass(frozen=True, kw_only=True)
class StoredCosts:
    """What one method's trials cost.

    Attributes:
        trials: how many tell it.
        phases: by phase.
        clip_seconds: of one test clip under one condition; ``None`` if no driver has measured it.
    """

    trials: int
    phases: dict[str, PhaseCosts]
    clip_seconds: float | None

    def told(self, shown: int) -> dict[str, float]:
        """The costs that are known, by name; a method's phases stand in for each other in seconds.

        Args:
            shown: test clips times conditions of one confirmed trial.
        """
        search, confirm = self.phases.get("search"), self.phases.get("confirm")
        either = search or confirm
        costs = {
            "search_epoch": (search or either).epoch if either else None,
            "confirm_epoch": (confirm or either).epoch if either else None,
            "testing": None if self.clip_seconds is None else shown * self.clip_seconds,
            "search_bytes": search.num_bytes if search else None,
            "confirm_bytes": confirm.num_bytes if confirm else None,
        }
        return {name: value for name, value in costs.items() if value is not None}


def stored_costs(run: RunPaths, found: Mapping[Wanted, Found]) -> dict[str, StoredCosts]:
    """By method, for methods of which a trial has been trained."""
    groups: dict[str, dict[str, list[Wanted]]] = {}
    for one, seen in found.items():
        if seen.trained and one.epochs and float(seen.record.get("seconds") or 0) > 0:
            groups.setdefault(one.method, {}).setdefault(one.phase, []).append(one)
    testing = read_progress(run).get("testing", {})
    return {
        method: StoredCosts(
            trials=sum(map(len, phases.values())),
            phases={phase: _phase(run, trials, found) for phase, trials in phases.items()},
            clip_seconds=_each(testing.get(method)),
        )
        for method, phases in groups.items()
    }


def folder_bytes(folder: Path) -> int:
    """Bytes of the files directly in a folder."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _phase(run: RunPaths, trials: list[Wanted], found: Mapping[Wanted, Found]) -> PhaseCosts:
    seconds = fsum(float(found[one].record["seconds"]) for one in trials)
    done = islice((one for one in trials if found[one].state == "done"), WEIGHED)
    weights = [folder_bytes(run.unit(one.trial_id).folder) for one in done]
    return PhaseCosts(seconds / sum(one.epochs for one in trials), fmean(weights) if weights else None)


def _each(testing: list[float] | None) -> float | None:
    """Seconds for one clip under one condition, from seconds and the number of them."""
    return testing[0] / testing[1] if testing and testing[1] else None
