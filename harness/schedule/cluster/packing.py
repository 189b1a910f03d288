"""How many trials share a GPU, from what one of them was measured to need."""

from __future__ import annotations

from typing import NamedTuple

CONTEXT_MB = 600.0
"""What a process takes of a GPU for CUDA and its kernels, beside its tensors (about 300 to 600 MB for PyTorch 2)."""
HEADROOM = 1.15
"""Batches differ and allocators leave gaps: measured memory is taken to be so much more."""
MOST = 16
"""Trials on one GPU; beyond that they wait for each other's kernels, and each has its own copy of PyTorch in memory."""


class Measured(NamedTuple):
    """Memory in MB of 10^6 bytes: what a trial reserved on its GPU, and what the GPU has."""

    reserved_mb: float
    total_mb: float


def trials_per_gpu(measured: Measured) -> int:
    """Trials that fit on a GPU at once; one at least, which may then fail with a clear word about memory.

    >>> trials_per_gpu(Measured(3000, 16000))
    3
    """
    needed = measured.reserved_mb * HEADROOM + CONTEXT_MB
    return max(1, min(MOST, int(measured.total_mb / needed)))


def memory_fraction(trials: int, total_mb: float) -> float | None:
    """The share of a GPU's memory that a trial's tensors may take; ``None`` for one that has the GPU to itself."""
    if trials <= 1:
        return None
    return 1 / trials - CONTEXT_MB / total_mb
