"""Units on Ray Tune: Tune places and supervises them, a Searcher of ours says which come next.

Tune is started fresh each time and never restored: what is finished is on storage, and the brain skips it.
"""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import ray
from ray import tune

from harness.errors import HarnessError
from harness.plan import confirm_units
from harness.schedule.brain import Brain
from harness.schedule.cluster.mirrored import Storage
from harness.schedule.cluster.node_probe import wanted_of
from harness.schedule.cluster.packing import trials_per_gpu
from harness.schedule.cluster.placing import requests, slots_of
from harness.schedule.cluster.ray_cluster import RayNotStartedError, check_machines, connected, wait_for_room
from harness.schedule.cluster.ray_guard import RayDiedError, guarded
from harness.schedule.cluster.ray_reuse import Reuse
from harness.schedule.cluster.ray_searcher import Ground, OnEvent, UnitSearcher
from harness.schedule.cluster.ray_worker import measure_unit, run_unit
from harness.schedule.session import Session
from harness.spec.space import sized_differently
from harness.tables.temporary import hidden_name, sweep

MAX_RESTARTS = 5
"""Fresh starts of Tune after a run that ended early: Ray's memory monitor, killing a worker, ends the whole run."""
MAX_FAILURES = {"local": 2, "cluster": 8}
"""Retries of a unit whose worker or machine died; errors of the unit's own code are reported, not retried. Machines of
a cluster come and go; on a machine of one's own a worker that dies again and again dies of its unit."""
INFRASTRUCTURE = ("low on memory", "Caught unexpected exception")
"""What Tune says when it ends because of something that it does not count as a trial's failure."""


class Limits(NamedTuple):
    """Units at the same time, and retries of a unit whose worker died."""

    slots: int
    failures: int


def run_ray(session: Session, brain: Brain, on_event: OnEvent, slots: int, address: str = "local") -> None:
    """Run a study's units on Ray, ``slots`` at a time (0: as many as its machines hold), until none is left.

    A Ray of our own that dies is started again, and once it has run, a start that fails is tried again too.

    Raises:
        HarnessError: if Ray cannot offer what one unit asks for, or a machine cannot do the work.
        StorageError: if results cannot be written.
        KeyboardInterrupt: if the user interrupts; finished units stay finished.
    """
    died = False
    for _ in range(MAX_RESTARTS):
        try:
            _on_ray(session, brain, on_event, slots, address)
        except RayNotStartedError:
            if not died:
                raise
        except RayDiedError:
            died = True
            brain.put_back()
            if address != "local":
                raise HarnessError("Ray died on this machine. Finished trials are kept; run the study again.") from None
        else:
            return
    raise HarnessError(f"Ray died {MAX_RESTARTS} times. Finished trials are kept; run the study again.")


def _on_ray(session: Session, brain: Brain, on_event: OnEvent, slots: int, address: str) -> None:
    """Start or join Ray and run what the brain hands out.

    Raises:
        RayDiedError: if Ray dies meanwhile.
    """
    asked = requests(session.study)
    cpus = max(request.cpus for request in asked.values())
    where = "local" if address == "local" else "cluster"
    own = slots * cpus if slots else max(os.cpu_count() or 1, cpus)
    with connected(address, own, lambda: bool(brain.failed)), guarded():
        room = wait_for_room(asked, address)
        ground = prepared_ground(session, shared=where == "local")
        limits = Limits(slots=slots or slots_of(ground.asked, room), failures=MAX_FAILURES[where])
        _run(session, brain, on_event, ground, limits)


def prepared_ground(session: Session, *, shared: bool) -> Ground:
    """Machines that were looked at, inputs where they reach them, and GPU shares that were measured.

    Raises:
        CollectedError: machine by machine, what is wrong.
    """
    storage = session.storage
    if not shared:
        weights = sorted({method.pretrained for method in session.study.methods.values() if method.pretrained})
        manifest, pack = session.run.manifest, session.prepared.pack
        wanted = wanted_of(session.run.units, manifest, pack, weights, has_store=bool(storage.uri))
        if not check_machines(wanted) and session.mirror is not None:
            session.mirror.send_inputs([manifest, *(Path(one).expanduser() for one in weights)], pack)
            storage = storage._replace(manifest_hash=sha256(manifest.read_bytes()).hexdigest())
    together = _trials_per_gpu(session, storage)
    return Ground(requests(session.study, {method: 1 / trials for method, trials in together.items()}), storage)


def _trials_per_gpu(session: Session, storage: Storage) -> dict[str, int]:
    """For each method that shares GPUs automatically: trials on one, by the largest that its search may ask for."""
    study = session.study
    measured: dict[str, list[ray.ObjectRef]] = {}
    for name in [name for name in study.methods if study.resources_of(name).gpus == "auto"]:
        task = ray.remote(measure_unit).options(num_cpus=study.resources_of(name).cpus, num_gpus=1, max_calls=1)
        for values in sized_differently(study.methods[name].search):
            unit = confirm_units(study, session.prepared.dataset, name, 0, values)[0]
            measured.setdefault(name, []).append(task.remote(session.task(unit).model_dump_json(), storage))
    found = {}
    for name, references in measured.items():
        try:
            found[name] = min(trials_per_gpu(one) for one in ray.get(references))
        except ray.exceptions.RayError as error:
            reason = str(getattr(error, "cause", None) or error).strip().partition("\n")[0]
            raise HarnessError(f"methods.{name}: a training step fails on a GPU of its own: {reason}") from error
    return found


def _run(session: Session, brain: Brain, on_event: OnEvent, ground: Ground, limits: Limits) -> None:
    """Start Tune, batch after batch, until the brain has nothing left; what ran when one broke off is handed out again.

    Raises:
        HarnessError: if that happens too often.
        Exception: what went wrong in this process between two units, as itself.
    """
    sweep(Path(tempfile.gettempdir()))
    ended_early = 0
    while ended_early < MAX_RESTARTS:
        searcher = UnitSearcher(session, brain, on_event, ground)
        with _scratch() as scratch:
            _fit(searcher, limits, scratch)
        if searcher.broken:
            raise searcher.broken
        if brain.done:
            return
        brain.put_back()
        ended_early += not searcher.full
    raise HarnessError(f"Ray Tune ended early {MAX_RESTARTS} times. Finished trials are kept; run the study again.")


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for what Tune writes, gone when it ends."""
    scratch = Path(tempfile.gettempdir()) / hidden_name("dferbench-ray")
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fit(searcher: UnitSearcher, limits: Limits, scratch: Path) -> None:
    """One run of Tune over whatever the brain hands out.

    A process that has ended a unit takes up the next one that asks for the same resources, see ``ray_reuse``.
    """
    tuner = tune.Tuner(
        tune.with_resources(run_unit, lambda config: config["resources"]),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=Reuse(searcher.never_began),
            num_samples=-1,
            max_concurrent_trials=limits.slots,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="units",
            storage_path=str(scratch),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=limits.failures),
        ),
    )
    try:
        tuner.fit()
    except RuntimeError as error:
        if not any(words in str(error) for words in INFRASTRUCTURE):
            raise
