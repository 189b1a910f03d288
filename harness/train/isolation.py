"""A training leaves the process as it found it: generators, thread count and backend switches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def isolated(seed: int, threads: int, device: torch.device) -> Iterator[None]:
    """Run with torch's generators seeded, deterministic kernels and a fixed thread count; restore all of it after.

    More threads than the machine has processors would only wait for each other, so there are no more.

    Networks draw their first weights and dropout masks from torch's global generator, which takes no other; that
    generator is forked here and nowhere else.
    """
    before, devices = torch.get_num_threads(), [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), deterministic(device):
        torch.manual_seed(seed)
        torch.set_num_threads(min(threads, os.cpu_count() or threads))
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Within it, torch takes deterministic kernels; where a GPU has none (as for some poolings), a warning says so.

    Without this, sums by index or place (``index_add``, ``scatter_add``) come in any order on a GPU, and two runs of a
    spec differ in their last digits (PyTorch, "Reproducibility"). On a CPU it is so anyway. Attention is computed by
    matrix products: the gradients of its fused kernels are deterministic only where a warning would be an error.
    Convolutions in float32 are in float32, not in TF32, which torch takes on GPUs unless it is told not to.
    """
    backend = torch.backends.cudnn
    memory: Any = torch.utils.deterministic  # its switch is set through the module's class
    chosen = backend.deterministic, backend.benchmark, memory.fill_uninitialized_memory
    asked = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    backend.deterministic, backend.benchmark = True, False
    attention: AbstractContextManager[object] = nullcontext()
    if device.type == "cuda":
        # cuBLAS reads this when it first works in a process
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        memory.fill_uninitialized_memory = False
        attention = sdpa_kernel(SDPBackend.MATH)
    try:
        with attention, convolutions_in_tf32(allowed=False):
            yield
    finally:
        backend.deterministic, backend.benchmark, memory.fill_uninitialized_memory = chosen
        torch.use_deterministic_algorithms(asked[0], warn_only=asked[1])


@contextmanager
def convolutions_in_tf32(*, allowed: bool) -> Iterator[None]:
    """Within it, a GPU's convolutions and LSTMs may round what they multiply to 10 bits (TF32), if that is allowed.

    torch has two switches, and the older one cannot be read any more once somebody has set the newer one.
    """
    backend: Any = torch.backends.cudnn  # the newer switches are made when the module is loaded
    try:
        before = backend.allow_tf32
    except RuntimeError:
        with _newer_switches(backend, "tf32" if allowed else "ieee"):
            yield
        return
    backend.allow_tf32 = allowed
    try:
        yield
    finally:
        backend.allow_tf32 = before


@contextmanager
def _newer_switches(backend: Any, precision: str) -> Iterator[None]:
    before = backend.conv.fp32_precision, backend.rnn.fp32_precision
    backend.conv.fp32_precision = backend.rnn.fp32_precision = precision
    try:
        yield
    finally:
        backend.conv.fp32_precision, backend.rnn.fp32_precision = before
