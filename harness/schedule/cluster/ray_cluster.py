"""Ray's machines: start a Ray of our own or join one, see what its machines offer and whether they can do the work."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from harness.errors import HarnessError
from harness.schedule.cluster.launch.address import check_joinable
from harness.schedule.cluster.node_probe import Found, Wanted, judge, probe
from harness.schedule.cluster.placing import Offer, Request, at_once, check_feasible
from harness.schedule.cluster.ray_environment import ENVIRONMENT
from harness.schedule.cluster.ray_guard import bounded
from harness.schedule.signals import leaving_ray, starting_ray

OBJECT_STORE_BYTES = 100_000_000
"""Clips are memory-mapped, not put into Ray's object store, so a small one is enough."""
WORKER_VARIABLES = ("DFERBENCH_CACHE", "OMP_NUM_THREADS", *ENVIRONMENT)
"""What the driver's environment says of these is also said to workers on other machines."""
WAIT_SECONDS = 180.0
"""Machines of a cluster that was just started may still be joining when the driver asks for them."""
ANSWER_SECONDS = 120.0
"""For the first worker process of a machine to start and to look at its folders."""
MOST_SAID = 400
"""Characters of Ray's own words in an error."""
START_ADVICE = (
    "Finished trials are kept; it may pass, so run the same command again. If it does not, see whether memory runs out "
    "and whether there is room in /dev/shm and /tmp, or set RAY_TMPDIR to the short path of a folder with room. With "
    "--local, trials run one after another without Ray."
)
JOIN_ADVICE = (
    "Run this on one of its machines with --address auto, with the cluster's versions of Ray and Python and the same "
    "RAY_AUTH_TOKEN, or use dferbench submit."
)


class RayNotStartedError(HarnessError):
    """Ray does not start on this machine."""


@contextmanager
def connected(address: str, num_cpus: float, has_failed: Callable[[], bool] = bool) -> Iterator[None]:
    """A Ray of our own with so many processors (``local``), or one that exists, while the block runs.

    What a Ray of our own has written for itself (logs, Tune's state) goes with it, unless a log may tell of an error.

    Args:
        address: which Ray.
        num_cpus: of a Ray of our own.
        has_failed: whether a trial has failed when the block ends: a worker that died left its last words in its log.

    Raises:
        RayNotStartedError: if a Ray of our own does not start.
        HarnessError: if no cluster answers at the address.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        own = {"num_cpus": num_cpus, "object_store_memory": OBJECT_STORE_BYTES, **visible_slices()}
        with _failing_in_words("Ray does not start on this machine", START_ADVICE, RayNotStartedError), starting_ray():
            context = ray.init(address=address, include_dashboard=False, **own, **quiet)
        hide_token()
        with _forgotten(Path(context.address_info["session_dir"]), has_failed), _shut_down():
            yield
    else:
        _join(address, quiet)
        with _shut_down():
            yield


def visible_slices() -> dict[str, int]:
    """The number of GPUs to tell Ray, which counts cards, where slices of them (MIG) are named to be used."""
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.startswith("MIG-")]
    return {"num_gpus": len(named)} if named else {}


@contextmanager
def _shut_down() -> Iterator[None]:
    try:
        yield
    finally:
        with leaving_ray(), bounded():
            ray.shutdown()


@contextmanager
def _forgotten(session: Path, has_failed: Callable[[], bool]) -> Iterator[None]:
    """Delete what a Ray has written, some 80 MB in a thousand trials, when the block ends or is interrupted."""
    broken = False
    try:
        yield
    except Exception:
        broken = True
        raise
    finally:
        if not broken and not has_failed():
            shutil.rmtree(session, ignore_errors=True)


def _join(address: str, quiet: Mapping[str, Any]) -> None:
    check_joinable(address)
    variables = {name: os.environ[name] for name in WORKER_VARIABLES if name in os.environ}
    with _failing_in_words(f"No Ray cluster can be joined at '{address}'", JOIN_ADVICE), starting_ray():
        ray.init(address=address, runtime_env={"env_vars": variables}, **quiet)


@contextmanager
def _failing_in_words(what: str, advice: str, kind: type[HarnessError] = HarnessError) -> Iterator[None]:
    """Say what has failed, in Ray's own words why, and what to do.

    Raises:
        HarnessError: for everything that Ray is known to raise, a plain ``Exception`` among it.
    """
    try:
        yield
    except Exception as error:
        if type(error) is not Exception and not isinstance(error, OSError | RuntimeError | ValueError | RayError):
            raise
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise kind(f"{what} ({said[:MOST_SAID]}). {advice}") from error


def hide_token() -> None:
    """Ray writes its token readable by everybody; take that back."""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    with suppress(OSError):
        path.chmod(0o600)


def offers() -> dict[str, Offer]:
    """What every living machine has, by Ray's id of it."""
    return {
        node["NodeID"]: Offer(
            node["NodeManagerHostname"],
            node["Resources"].get("CPU", 0.0),
            node["Resources"].get("GPU", 0.0),
            node["Resources"].get("memory", inf) / 1e6,
        )
        for node in ray.nodes()
        if node["Alive"]
    }


def wait_for_room(asked: Mapping[str, Request], address: str) -> list[Offer]:
    """The machines, once each method's trials fit on one of them; a cluster is given time to grow.

    Raises:
        HarnessError: if they still do not fit after ``WAIT_SECONDS`` (at once on a Ray of our own).
    """
    deadline = time.monotonic() + (0 if address == "local" else WAIT_SECONDS)
    while True:
        there = list(offers().values())
        fits = all(any(at_once(request, offer) for offer in there) for request in asked.values())
        if fits or time.monotonic() > deadline:
            check_feasible(asked, there)
            return there
        time.sleep(1)


def check_machines(wanted: Wanted) -> bool:
    """Have every machine that may get trials look at the folders of the run; whether all share them.

    Raises:
        CollectedError: machine by machine, what is wrong and what to do.
    """
    asked = {
        node: ray.remote(probe)
        .options(num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
        .remote(wanted)
        for node, offer in offers().items()
        if offer.cpus or offer.gpus
    }
    done, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=ANSWER_SECONDS)
    answers: list[Found] = []
    silent: list[str] = []
    names = offers()
    for node, reference in asked.items():
        try:
            answers += [ray.get(reference)] if reference in done else []
        except ray.exceptions.RayError as error:
            silent.append(f"{names[node].host} ({type(error).__name__})" if node in names else node)
            continue
        if reference not in done:
            silent.append(names[node].host if node in names else node)
    return judge(wanted, answers, silent)
