"""A study on a prepared session: whatever storage does not hold yet is run, and all of it is reported."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rich.console import Console

from harness.errors import HarnessError, NothingToReportError
from harness.paths import RunPaths
from harness.report.build import Outputs, build
from harness.schedule.brain import Brain
from harness.schedule.local import OnEvent, run_local
from harness.schedule.operate.cleaning import studies_in
from harness.schedule.operate.halted import forget_states
from harness.schedule.operate.publisher import Publisher
from harness.schedule.progress import Progress, total_of
from harness.schedule.session import Session
from harness.schedule.signals import exits_are_interruptions
from harness.schedule.tracking import Track, tracked

Executor = Literal["ray", "local"]
ROUNDS = 3
"""How often a run makes again what other processes take away meanwhile."""

logger = logging.getLogger("dferbench")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where and how a study is run; none of it changes a result.

    Attributes:
        out: the runs folder.
        executor: ``ray``, or ``local`` for one unit after another in this process.
        slots: units at the same time on Ray; 0 for as many as the processors allow.
        address: ``local`` for a Ray of our own, else an existing cluster.
        plain: log lines instead of a live table.
        store: where results are mirrored, as fsspec names it; empty for nowhere.
        track: where trainings can be watched.
    """

    out: Path = Path("runs")
    executor: Executor = "ray"
    slots: int = 0
    address: str = "local"
    plain: bool = False
    store: str = ""
    track: Track = "tensorboard"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a study.

    Attributes:
        outputs: leaderboard and report files; ``None`` if every trial failed.
        failed: units without a result, with the reason.
        trained: units that this call gave a result.
        recognised: units that were finished before it.
        freed: bytes of states of trainings that the search has given up, by trial.
        warnings: what libraries warned of in trials that this call trained, and in how many.
    """

    outputs: Outputs | None
    failed: dict[str, str]
    trained: int
    recognised: int
    freed: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Making:
    """A study being made, however often it has to begin again.

    Attributes:
        session: the study on its storage.
        options: how it is run.
        publisher: tells other shells.
        console: where progress is shown.
        gained: names of the units that were brought to a result so far.
        warnings: what libraries warned of, and in how many units.
    """

    session: Session
    options: RunOptions
    publisher: Publisher
    console: Console
    gained: set[str] = field(default_factory=set)
    warnings: Counter[str] = field(default_factory=Counter)

    def once(self) -> Ended:
        """Whatever storage does not hold yet, and the report of all.

        Raises:
            DamagedError: if a file of a finished trial turns out to be damaged; nothing that was made is lost.
        """
        run, mirror = self.session.run, self.session.mirror
        brain = self._executed()
        self.publisher.tell(state="reporting")
        self.session.write_tables(brain)
        outputs = _reported(run, brain.failed)
        freed = forget_states(run, studies_in(run.root)) if brain.searches else {}
        if mirror:
            mirror.send_study(run)
            mirror.forget_states(freed)
        trained = self.gained - brain.failed.keys()
        return Ended(
            outputs=outputs,
            failed=brain.failed,
            trained=len(trained),
            recognised=len(brain.units.keys() - trained - brain.failed.keys()),
            freed=freed,
            warnings=dict(self.warnings),
        )

    def _executed(self) -> Brain:
        """The state machine of a study of which nothing is left to do.

        Raises:
            HarnessError: if finished trials are taken away as often as they are made.
        """
        for _ in range(ROUNDS):
            self.publisher.tell(state="training")
            brain = self.session.brain()
            if self.session.mirror:
                self.session.mirror.send_units({brain.units[name].trial.trial_id for name in brain.recognised})
            self._execute(brain)
            self.gained |= brain.gained
            gone = self.session.gone(brain) if brain.gained else []
            if not gone:
                return brain
            logger.warning("%d finished trials are not there any more, %s among them: again.", len(gone), gone[0])
        raise HarnessError(
            f"Finished trials were taken out of {self.session.run.units} {ROUNDS} times while the study ran. End what "
            "else works on that folder, or use --out for another one; the same command goes on from what is there."
        )

    def _execute(self, brain: Brain) -> None:
        options, session = self.options, self.session
        progress = Progress(brain, total_of(session.study), self.publisher, self.console, options.plain)
        try:
            with progress, tracked(progress, session.run, options.track) as watch:
                if not brain.done:
                    _run(session, brain, watch, options)
        finally:
            self.warnings.update(progress.warnings)


def _reported(run: RunPaths, failed: dict[str, str]) -> Outputs | None:
    """The study's report; ``None`` where failures are why there is nothing to report."""
    try:
        return build(run)
    except NothingToReportError:
        if not failed:
            raise
        return None


def _run(session: Session, brain: Brain, watch: OnEvent, options: RunOptions) -> None:
    if options.executor == "local":
        run_local(session, brain, watch)
        return
    if find_spec("ray") is None:
        raise HarnessError("Ray is not installed here. Install ray[tune], or use --local for one trial after another.")
    from harness.schedule.cluster.ray_tune import run_ray

    with exits_are_interruptions():
        run_ray(session, brain, watch, options.slots, options.address)
