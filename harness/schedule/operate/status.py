"""How far a study is, from storage alone: while its driver runs, after it was killed, or when all is done."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import fsum
from statistics import fmean
from typing import Any

from harness.paths import RunPaths
from harness.schedule.operate.driver import Driver, age_seconds, driver_of, read_progress
from harness.schedule.operate.wanted import Found, Wanted, look, wanted_by

FINISHED_STATES = ("done", "diverged")
ENDED_STATES = (*FINISHED_STATES, "failed")
SHOWN_ERRORS = 5
METRIC = "val_uar"


@dataclass(frozen=True, kw_only=True)
class PhaseStatus:
    """One method's trials of one phase.

    Attributes:
        method: the study's name for it.
        phase: ``search`` or ``confirm``.
        counts: trials by state: done, running, waiting, failed, diverged, or stopped at an early epoch.
        configurations: of a search, by status: open, complete, raced_out, stopped, failed.
        spent_seconds: seconds of training that trials on storage took together.
        spent_epochs: epochs that they were trained.
        best: validation UAR: of the best configuration on all its folds so far, or the mean of confirmed trials.
        chosen: the configuration that is confirmed, once it is known.
    """

    method: str
    phase: str
    counts: dict[str, int]
    configurations: dict[str, int]
    spent_seconds: float
    spent_epochs: int
    best: float | None
    chosen: int | None


@dataclass(frozen=True, kw_only=True)
class StudyStatus:
    """A study as storage shows it.

    Attributes:
        study: its name.
        state: ``preparing``, ``training`` or ``reporting`` under a living driver; else ``finished``, ``interrupted``,
            ``broken`` (it ended with an error), ``killed`` (it ended without a word) or ``unknown``.
        driver: who runs it.
        reason: the error that ended the last driver.
        total: trials that the study asks for in all; ``None`` if the driver did not say.
        phases: per method and phase.
        running: trials that run now, as the driver published them, with ``seconds`` since they began.
        errors: the last failures.
        elapsed_seconds: since the driver began to train.
        remaining_seconds: at its pace so far.
        silent_seconds: since it last wrote.
    """

    study: str
    state: str
    driver: Driver | None
    reason: str
    total: int | None
    phases: list[PhaseStatus]
    running: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    elapsed_seconds: float | None = None
    remaining_seconds: float | None = None
    silent_seconds: float | None = None

    @property
    def counts(self) -> Counter[str]:
        """Trials by state, over all methods and phases."""
        return sum((Counter(phase.counts) for phase in self.phases), Counter())

    def content(self) -> dict[str, Any]:
        """As plain values, for a machine to read."""
        driver = self.driver._asdict() if self.driver else None
        return {**asdict(self), "driver": driver, "counts": dict(self.counts)}


class Watcher:
    """Reads a study's status again and again; finished trials are read once, since they never change."""

    def __init__(self, run: RunPaths) -> None:
        self.run = run
        self._ended: dict[str, Found] = {}

    def status(self) -> StudyStatus:
        """The study now.

        Raises:
            HarnessError: if it was never started.
        """
        driver = driver_of(self.run)
        progress = read_progress(self.run)
        wanted = [] if driver and not self.run.wanted.exists() else wanted_by(self.run)
        found = {one.key: _with_failure(self._look(one), one, progress) for one in wanted}
        running = _running(progress, found) if driver else []
        return StudyStatus(
            study=self.run.study,
            state=_state(driver, progress, wanted, found),
            driver=driver,
            reason="" if driver else str(progress.get("reason", "")),
            total=progress.get("total"),
            phases=_phases(wanted, found, {str(unit["key"]) for unit in running}, progress),
            running=running,
            errors=_errors(wanted, found),
            elapsed_seconds=progress.get("elapsed_seconds"),
            remaining_seconds=progress.get("remaining_seconds") if driver else None,
            silent_seconds=age_seconds(progress["updated"]) if progress.get("updated") else None,
        )

    def _look(self, one: Wanted) -> Found:
        seen = self._ended.get(one.key)
        if seen is not None and self.run.unit(one.trial_id).record.exists():
            return seen
        found = look(self.run.unit(one.trial_id), one.phase)
        if found.state in {"done", "diverged"}:
            self._ended[one.key] = found
        return found


def read_status(run: RunPaths) -> StudyStatus:
    """How far a study is.

    Raises:
        HarnessError: if it was never started.
    """
    return Watcher(run).status()


def _state(driver: Driver | None, progress: dict[str, Any], wanted: list[Wanted], found: dict[str, Found]) -> str:
    said = str(progress.get("state", ""))
    if driver:
        return said if said in {"preparing", "training", "reporting"} else "preparing"
    if said in {"preparing", "training", "reporting"}:
        return "killed"
    if said:
        return said
    return "finished" if wanted and all(one.state in ENDED_STATES for one in found.values()) else "unknown"


def _with_failure(found: Found, one: Wanted, progress: dict[str, Any]) -> Found:
    """A trial whose worker left no trace has failed if the driver said so."""
    error = progress.get("failed", {}).get(one.key)
    unfinished = found.state in {"missing", "untested"}
    return Found(state="failed", record={**found.record, "error": error}) if error and unfinished else found


def _running(progress: dict[str, Any], found: dict[str, Found]) -> list[dict[str, Any]]:
    """Running trials with the seconds since they began, which another host's clock may not make negative."""
    return [
        {**unit, "seconds": age_seconds(unit.get("since"))}
        for unit in progress.get("running", [])
        if unit["key"] in found and found[unit["key"]].state not in FINISHED_STATES
    ]


def _phases(
    wanted: list[Wanted], found: dict[str, Found], running: set[str], progress: dict[str, Any]
) -> list[PhaseStatus]:
    groups: dict[tuple[str, str], list[Wanted]] = {}
    for one in wanted:
        groups.setdefault((one.method, one.phase), []).append(one)
    configurations = progress.get("configurations", {})
    phases = []
    for (method, phase), units in groups.items():
        statuses = list(configurations.get(method, [])) if phase == "search" else []
        counts = Counter(_counted(one, found[one.key], running, statuses) for one in units)
        ended = [one for one in units if found[one.key].trained]
        phases.append(
            PhaseStatus(
                method=method,
                phase=phase,
                counts=dict(counts),
                configurations=dict(Counter(statuses)),
                spent_seconds=fsum(float(found[one.key].record.get("seconds") or 0.0) for one in ended),
                spent_epochs=sum(one.epochs for one in ended),
                best=_best(units, found),
                chosen=progress.get("chosen", {}).get(method),
            )
        )
    return phases


def _counted(one: Wanted, found: Found, running: set[str], statuses: list[str]) -> str:
    if found.state in FINISHED_STATES:
        return found.state
    if one.key in running:
        return "running"
    if found.state == "failed":
        return "failed"
    given_up = one.configuration < len(statuses) and statuses[one.configuration] == "stopped"
    return "stopped" if given_up else "waiting"


def _best(units: list[Wanted], found: dict[str, Found]) -> float | None:
    """The best configuration's mean over all folds; one with a missing, failed or never asked fold does not count."""
    scores: dict[int, list[float]] = {}
    for one in units:
        score = found[one.key].record.get(METRIC)
        scores.setdefault(one.configuration, []).append(math.nan if score is None else float(score))
    if units[0].phase == "confirm":
        known = [score for each in scores.values() for score in each if not math.isnan(score)]
        return fmean(known) if known else None
    num_folds = max(map(len, scores.values()))  # the recipe as written is asked for on all of them at once
    means = [fmean(each) for each in scores.values() if len(each) == num_folds]
    return max((mean for mean in means if not math.isnan(mean)), default=None)


def _errors(wanted: Iterable[Wanted], found: dict[str, Found]) -> list[dict[str, Any]]:
    """The last failures, newest last."""
    errors = [
        {
            "unit": one.label,
            "trial_id": one.trial_id,
            "error": str(found[one.key].record.get("error", "")),
            "host": str(found[one.key].record.get("host", "")),
            "attempts": found[one.key].record.get("attempts"),
            "at": str(found[one.key].record.get("created_at", "")),
        }
        for one in wanted
        if found[one.key].state in {"failed", "diverged"}
    ]
    return sorted(errors, key=lambda error: str(error["at"]))[-SHOWN_ERRORS:]
