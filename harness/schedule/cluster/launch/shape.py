"""How large a cluster a study asks for: machines, and what each of them needs."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from harness.errors import HarnessError
from harness.schedule.cluster.placing import requests
from harness.spec.study import StudySpec

TRIAL_MEMORY_MB = 4000
"""Main memory per trial where the study does not say: PyTorch with CUDA takes about 3 GB, clips are memory-mapped."""
SPARE_MEMORY_MB = 4000
"""Ray's own processes, its object store and the file system's cache of the clips, per machine."""


class Shape(NamedTuple):
    """A cluster.

    Attributes:
        nodes: machines.
        slots: trials at the same time, on all machines together.
        cpus: processors per machine.
        gpus: GPUs per machine.
        memory_mb: main memory per machine, in MB of 10^6 bytes.
    """

    nodes: int
    slots: int
    cpus: int
    gpus: int
    memory_mb: int


def shape_of(study: StudySpec, nodes: int, slots: int) -> Shape:
    """The cluster that runs ``slots`` trials at once on so many machines; 0 slots: all folds and seeds of one method.

    A method that shares GPUs ``auto``-matically counts as a whole GPU per trial: its share is measured on the cluster.

    Raises:
        HarnessError: if there are more machines than trials to run at once.
    """
    slots = slots or len(study.folds) * len(study.seeds)
    if nodes > slots:
        raise HarnessError(
            f"--nodes {nodes} is more than the {slots} trials that run at once. Lower it, or raise --slots."
        )
    each = ceil(slots / nodes)
    asked = list(requests(study).values())
    gpus = max(request.gpus for request in asked)
    memory = max(request.memory_mb for request in asked) or TRIAL_MEMORY_MB
    return Shape(
        nodes=nodes,
        slots=each * nodes,
        cpus=ceil(each * max(request.cpus for request in asked)),
        gpus=ceil(each / int(1 / gpus + 1e-9)) if 0 < gpus < 1 else int(each * gpus),
        memory_mb=int(each * memory + SPARE_MEMORY_MB),
    )
