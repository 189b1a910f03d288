"""One study from its file to its report."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rich.console import Console

from harness.data.coverage import two_sided_groups
from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.plan import check, counts
from harness.report.build import Outputs, build
from harness.schedule.bars import clip_bar
from harness.schedule.brain import Brain
from harness.schedule.cluster.launch.address import check_joinable
from harness.schedule.cluster.lease import leased
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.local import OnEvent, run_local
from harness.schedule.operate.cleaning import in_use, studies_in
from harness.schedule.operate.driver import exclusive
from harness.schedule.operate.halted import forget_states
from harness.schedule.operate.mending import whole
from harness.schedule.operate.publisher import Publisher
from harness.schedule.progress import Progress, Total
from harness.schedule.search.search_scores import check_search_sees_no_test_condition
from harness.schedule.session import Session
from harness.schedule.signals import exits_are_interruptions, interrupt_on_sigterm
from harness.schedule.tracking import Track, tracked
from harness.spec.load import load_study
from harness.spec.study import StudySpec
from harness.tables.storage import storage
from harness.train.conditions import with_suite
from harness.train.extensions import with_code
from harness.train.preflight import Prepared, prepare
from harness.train.weights import with_weights

Executor = Literal["ray", "local"]


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
        outputs: leaderboard and report files.
        failed: units without a result, with the reason.
        trained: units that this call gave a result.
        recognised: units that were finished before it.
        freed: bytes of states of trainings that the search has given up, by trial.
        warnings: what libraries warned of in trials that this call trained, and in how many.
    """

    outputs: Outputs
    failed: dict[str, str]
    trained: int
    recognised: int
    freed: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)


def open_study(file: Path) -> StudySpec:
    """Read a study, write out its suite, and check every name in it.

    Raises:
        HarnessError: for whatever cannot be.
    """
    study = with_suite(load_study(file))
    check(study, str(file))
    check_search_sees_no_test_condition(study)
    return with_code(with_weights(study))


def run_study(file: Path, options: RunOptions, console: Console) -> Ended:
    """Prepare, train, test and report a study; what storage already holds is not done again.

    Raises:
        HarnessError: before any training, for what cannot work.
    """
    interrupt_on_sigterm()
    check_options(options)
    study = open_study(file)
    run = RunPaths(options.out, study.name)
    with (
        storage(run.root),
        exclusive(run),
        leased(options.store, run),
        Publisher(run, {"executor": options.executor}) as publisher,
    ):
        prepared = prepare_shown(study, run, console)
        publisher.tell(pack=str(prepared.pack.absolute()))
        device = pick_device(study, options.address)
        session = Session(
            study=study, run=run, prepared=prepared, device=device, mirror=open_mirror(options.store, run)
        )
        with in_use(prepared.pack):
            return whole(run, lambda: _made(session, options, publisher, console))


def _made(session: Session, options: RunOptions, publisher: Publisher, console: Console) -> Ended:
    """Whatever storage does not hold yet, and the report of all."""
    run, mirror = session.run, session.mirror
    publisher.tell(state="training")
    brain = session.brain()
    before = len(brain.recognised)
    if mirror:
        mirror.send_units({brain.units[name].trial.trial_id for name in brain.recognised})
    progress = Progress(brain, total_of(session.study), publisher, console, options.plain)
    with progress, tracked(progress, run, options.track) as watch:
        _execute(session, brain, watch, options)
    publisher.tell(state="reporting")
    session.write_tables(brain)
    outputs = build(run)
    freed = forget_states(run, studies_in(run.root)) if brain.searches else {}
    if mirror:
        mirror.send_study(run)
        mirror.forget_states(freed)
    return Ended(
        outputs=outputs,
        failed=brain.failed,
        trained=brain.trained,
        recognised=before,
        freed=freed,
        warnings=dict(progress.warnings),
    )


def check_options(options: RunOptions) -> None:
    """See that what was asked for goes together.

    Raises:
        HarnessError: for a local run that is to use a cluster or several slots, or an address that no run can join.
    """
    if options.executor == "local" and (options.slots or options.address != "local"):
        raise HarnessError("--local runs one trial after another in one process: leave out --slots and --address.")
    check_joinable(options.address)


def open_mirror(store: str, run: RunPaths) -> Mirror | None:
    """The mirror of a run, with what it holds of the study fetched; ``None`` for none.

    Raises:
        HarnessError: if it cannot be used.
    """
    if not store:
        return None
    mirror = Mirror(store, run.root)
    mirror.check()
    mirror.bring_study(run)
    return mirror


def total_of(study: StudySpec) -> Total:
    """What a study asks for, search and confirmation together."""
    each = counts(study).values()
    return Total(sum(count.search + count.confirm for count in each), sum(count.epochs for count in each))


def prepare_shown(study: StudySpec, run: RunPaths, console: Console) -> Prepared:
    """Preflight with a progress bar while clips are packed; groups on both sides of a fold are told of."""
    with clip_bar(console, "packing clips") as advance:
        prepared = prepare(study, run, os.cpu_count() or 1, advance)
    for warning in two_sided_groups(prepared.source, study.folds):
        console.print(f"warning: {warning}.", style="yellow", markup=False, highlight=False)
    return prepared


def pick_device(study: StudySpec, address: str = "local") -> str:
    """``cuda`` for a study with a method that asks for GPUs, else ``cpu``; an existing cluster says itself what it has.

    Raises:
        HarnessError: if GPUs are asked for and this machine has none.
    """
    asked = [study.resources_of(method) for method in study.methods]
    if not any(one.on_gpu for one in asked):
        return "cpu"
    import torch

    if address == "local" and not torch.cuda.is_available():
        raise HarnessError(
            f"The study asks for resources.gpus: {next(one.gpus for one in asked if one.on_gpu)}, but no CUDA device "
            "is visible. Set it to 0 to train on the CPU."
        )
    return "cuda"


def _execute(session: Session, brain: Brain, watch: OnEvent, options: RunOptions) -> None:
    if brain.done:
        return
    if options.executor == "local":
        run_local(session, brain, watch)
        return
    if find_spec("ray") is None:
        raise HarnessError("Ray is not installed here. Install ray[tune], or use --local for one trial after another.")
    from harness.schedule.cluster.ray_tune import run_ray

    with exits_are_interruptions():
        run_ray(session, brain, watch, options.slots, options.address)
