"""How many trials share a GPU, from what one of them was measured to need."""

from __future__ import annotations

from typing import NamedTuple

from harness.errors import HarnessError

CONTEXT_MB = 600.0
"""What a process takes of a GPU for CUDA and its kernels, beside its tensors (about 300 to 600 MB for PyTorch 2)."""
HEADROOM = 1.15
"""Batches differ and allocators leave gaps: measured memory is taken to be so much more."""
MOST = 16
"""Trials on one GPU; beyond that they wait for each other's kernels, and each has its own copy of PyTorch in memory."""


class Measured(NamedTuple):
    """Memory in MB of 10^6 bytes: what a trial reserved on its GPU, and what the GPU has for trials.

    The first is infinite for a trial that ran out of memory on a GPU of its own.
    """

    reserved_mb: float
    usable_mb: float


def trials_per_gpu(measured: Measured) -> int:
    """Trials that fit on a GPU at once; one at least, which may then fail with a clear word about memory.

    >>> trials_per_gpu(Measured(3000, 16000))
    3
    """
    needed = measured.reserved_mb * HEADROOM + CONTEXT_MB
    return max(1, min(MOST, int(measured.usable_mb / needed)))


def memory_fraction(share: float, total_mb: float) -> float | None:
    """The share of a GPU's memory that a trial's tensors may take; ``None`` for one that has the GPU to itself.

    Args:
        share: of the GPU, as Ray gives it; CUDA's own memory comes out of it.
        total_mb: of the GPU that it was given.

    Raises:
        HarnessError: if nothing is left for tensors.
    """
    if share >= 1:
        return None
    if share * total_mb <= CONTEXT_MB:
        raise HarnessError(
            f"This trial has a share of {share:g} of a GPU of {total_mb:.0f} MB, and CUDA alone takes up to "
            f"{CONTEXT_MB:.0f} MB. Give it a larger one: resources.gpus."
        )
    return share - CONTEXT_MB / total_mb
