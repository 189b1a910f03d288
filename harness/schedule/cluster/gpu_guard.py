"""A process that trains on a GPU, from unit to unit: what it checks before one, and whether it may take another after.

A fresh process costs its GPU the seconds that PyTorch and CUDA need to start, so one is kept for the next unit, if it
is as good as a fresh one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.errors import HarnessError
from harness.schedule.cluster.packing import memory_fraction
from harness.train.leftover import Leftover

PATIENCE_SECONDS = 60.0
"""A process that was killed a moment ago may still hold its memory."""
LOOK_SECONDS = 2.0
NEEDED_ALONE = 0.25
"""Share of a GPU's memory that must be free for a trial that has the GPU to itself."""
NEEDED_SHARED = 0.75
"""Part of what a trial may take of a shared GPU that must be free for it to begin: others keep to their shares, but
CUDA's own memory, and that of a desktop, are not known to the megabyte."""
KEPT_MB = 256.0
"""Tensors that a process may keep from one unit to the next: the workspaces of cuBLAS (32 MiB on Hopper by PyTorch's
default, for the thread that computes and the one that takes gradients) and the tables of perturbations (bounded caches;
16 MB measured for 16 frames of 224 pixels), some three times over."""

Room = Callable[[], tuple[float, float]]


class Gpu(NamedTuple):
    """What a process asks of its GPU.

    Attributes:
        room: bytes that this process can have, and bytes in all.
        leave: give back what a unit took, and tell what is left.
        broken: what CUDA complains of; empty if it does not.
    """

    room: Room
    leave: Callable[[], Leftover]
    broken: Callable[[], str]


class WornOutError(Exception):
    """A unit was placed in a process that must not train again; Tune places it in another."""


class Process:
    """A worker process and its GPU, from unit to unit; one on the CPU has nothing to look after.

    Attributes:
        worn_out: why it must not train again; empty while it may.
    """

    def __init__(self) -> None:
        self.worn_out = ""
        self._gpu: Gpu | None = None

    def begin(self, gpu: Gpu, share: float) -> float | None:
        """Take up a unit on the process's GPU; share and result are those of ``wait_for_memory``.

        Raises:
            WornOutError: if the process must not train again, or CUDA broke while it waited for this unit.
            HarnessError: if the GPU has no room.
        """
        if self._gpu is not None and not self.worn_out:
            self.worn_out = why_worn_out(Leftover(0.0, gpu.broken()), defect=False)
        if self.worn_out:
            raise WornOutError(self.worn_out)
        self._gpu = gpu
        return wait_for_memory(share, gpu.room)

    def end(self, *, defect: bool) -> str:
        """Give the GPU back after a unit; why the process must not train again, empty if it may.

        Args:
            defect: whether the unit ended with an error that nobody expected. One of CUDA spoils a process for good,
                and libraries do not always tell it from others.
        """
        if self._gpu is not None:
            self.worn_out = why_worn_out(self._gpu.leave(), defect=defect)
        return self.worn_out


def why_worn_out(left: Leftover, *, defect: bool) -> str:
    """Why a process that leaves so much on its GPU must not train again; empty if it may."""
    if left.broken:
        return f"CUDA is broken in it: {left.broken}"
    if defect:
        return "a trial failed in it with an error that may have broken CUDA"
    if left.held_mb > KEPT_MB:
        return f"it holds {left.held_mb:.0f} MB of tensors after a trial; {KEPT_MB:.0f} MB may stay"
    return ""


def check_given(ids: Sequence[object], device: str) -> None:
    """Refuse to train on a GPU that the scheduler did not give: every process sees the first one.

    Raises:
        HarnessError: if the trial is to use a GPU and was given none.
    """
    if device == "cuda" and not ids:
        raise HarnessError("This trial is to use a GPU, but Ray gave it none. Set resources.gpus above 0.")


def wait_for_memory(share: float, room: Room) -> float | None:
    """Wait until a GPU has room for a trial; the share of its memory that the trial's tensors may take.

    Args:
        share: of the GPU that the trial was given.
        room: bytes that this process can have, what it holds already among them, and bytes in all.

    Raises:
        HarnessError: if others still hold it after ``PATIENCE_SECONDS``, or the share is too small for any trial.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        left, total = room()
        fraction = memory_fraction(share, total / 1e6)
        needed = NEEDED_ALONE if fraction is None else NEEDED_SHARED * fraction
        if left >= needed * total:
            return fraction
        if time.monotonic() > deadline:
            raise HarnessError(
                f"The GPU has {left / 1e6:.0f} of {total / 1e6:.0f} MB free, and this trial needs "
                f"{needed * total / 1e6:.0f}. Another process holds the rest (see nvidia-smi); end it, or give each "
                "trial a larger share: resources.gpus."
            )
        time.sleep(LOOK_SECONDS)
