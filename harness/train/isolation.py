"""A training leaves the process as it found it: generators, thread count and backend switches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def isolated(seed: int, threads: int, device: torch.device) -> Iterator[None]:
    """Run with torch's generators seeded, deterministic kernels and a fixed thread count; restore all of it after.

    Networks draw their first weights and dropout masks from torch's global generator, which takes no other; that
    generator is forked here and nowhere else.
    """
    before = torch.get_num_threads(), torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before[1:]
