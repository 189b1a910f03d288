"""One study from its file to its report."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from harness.data.coverage import two_sided_groups
from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.plan import check
from harness.schedule.bars import clip_bar
from harness.schedule.cautions import cautions, print_warnings
from harness.schedule.cluster.launch.address import check_joinable
from harness.schedule.cluster.lease import leased
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.making import Ended, Making, RunOptions
from harness.schedule.operate.cleaning import in_use
from harness.schedule.operate.driver import exclusive
from harness.schedule.operate.mending import whole
from harness.schedule.operate.publisher import Publisher
from harness.schedule.search.search_scores import check_search_sees_no_test_condition
from harness.schedule.session import Session
from harness.schedule.signals import interrupt_on_sigterm
from harness.spec.load import anchored, load_study
from harness.spec.study import StudySpec
from harness.tables.storage import storage
from harness.train.conditions import with_suite
from harness.train.extensions import with_code
from harness.train.preflight import Prepared, prepare
from harness.train.weights import with_weights


def open_study(file: Path) -> StudySpec:
    """Read a study, write out its suite, and check every name in it.

    Raises:
        HarnessError: for whatever cannot be.
    """
    study = with_suite(anchored(load_study(file)))
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
    print_warnings(cautions(study, os.cpu_count() if options.executor == "local" else None), console)
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
            making = Making(session=session, options=options, publisher=publisher, console=console)
            return whole(run, making.once)


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


def prepare_shown(study: StudySpec, run: RunPaths, console: Console) -> Prepared:
    """Preflight with a progress bar while clips are packed; groups on both sides of a fold are told of."""
    with clip_bar(console, "packing clips") as advance:
        prepared = prepare(study, run, os.cpu_count() or 1, advance)
    print_warnings(two_sided_groups(prepared.source, study.folds), console)
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
