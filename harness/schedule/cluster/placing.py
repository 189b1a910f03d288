"""What trials ask for against what machines offer: how many run at once, and whether one can run at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple

from harness.errors import HarnessError
from harness.spec.study import StudySpec


class Request(NamedTuple):
    """What one trial asks for: processors, GPUs (or a share of one), main memory in MB of 10^6 bytes."""

    cpus: float
    gpus: float
    memory_mb: float = 0.0


class Offer(NamedTuple):
    """What a machine has, in the units of ``Request``."""

    host: str
    cpus: float
    gpus: float
    memory_mb: float = inf


def requests(study: StudySpec, shares: Mapping[str, float] | None = None) -> dict[str, Request]:
    """What a trial of each method asks for; ``shares`` are the measured GPU shares of methods that ask for ``auto``.

    A method whose share has not been measured asks for a whole GPU, which is what measuring it takes.
    """
    asked = {}
    for method in study.methods:
        wanted = study.resources_of(method)
        gpus = (shares or {}).get(method, 1.0) if wanted.gpus == "auto" else float(wanted.gpus)
        asked[method] = Request(wanted.cpus, gpus, float(wanted.memory_mb or 0))
    return asked


def at_once(request: Request, offer: Offer) -> int:
    """How many such trials a machine runs at the same time.

    A share of a GPU cannot be put together from two GPUs, so two GPUs run 2 trials of 0.6, not 3.

    >>> at_once(Request(1, 0.25), Offer("node", 16, 2))
    8
    """
    by_memory = offer.memory_mb / request.memory_mb if request.memory_mb else inf
    if not request.gpus:
        by_gpu = inf
    elif request.gpus < 1:
        by_gpu = int(offer.gpus) * int(1 / request.gpus + 1e-9)
    else:
        by_gpu = offer.gpus / request.gpus
    return int(min(offer.cpus / request.cpus, by_memory, by_gpu) + 1e-9)


def slots_of(asked: Mapping[str, Request], offers: Sequence[Offer]) -> int:
    """Trials that the machines run at the same time: of the method that fits most often, at least one."""
    return max(1, *(sum(at_once(request, offer) for offer in offers) for request in asked.values()))


def check_feasible(asked: Mapping[str, Request], offers: Sequence[Offer]) -> None:
    """Ray waits silently for ever for what no machine has; say so at once.

    Raises:
        HarnessError: the first method whose trials no single machine can run, with what there is.
    """
    for method, request in asked.items():
        if any(at_once(request, offer) for offer in offers):
            continue
        there = "; ".join(f"{offer.host}: {_words(Request(*offer[1:]))}" for offer in offers) or "no machine"
        raise HarnessError(
            f"One trial of '{method}' asks for {_words(request)} on one machine, but Ray has {there}. Lower "
            f"resources in the study or in methods.{method}.resources, or connect to a larger cluster."
        )


def _words(request: Request) -> str:
    memory = f", {request.memory_mb:.0f} MB" if 0 < request.memory_mb < inf else ""
    return f"{request.cpus:g} CPU, {request.gpus:g} GPU{memory}"
