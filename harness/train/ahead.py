"""The next batch is read while a GPU works on this one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import torch

from harness.train.batches import Batch


def read_ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The same batches in the same order, one of them read ahead by another thread.

    For CUDA their pixels lie in pinned memory, from which a copy is not waited for. A CPU, which is the one that reads,
    gets them as they come.
    """
    if device.type == "cpu":
        yield from batches
        return

    def taken() -> Batch | None:
        batch = next(batches, None)
        if batch is None or device.type != "cuda":
            return batch
        return replace(batch, pixels=batch.pixels.pin_memory())

    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        waiting = thread.submit(taken)
        while (batch := waiting.result()) is not None:
            waiting = thread.submit(taken)
            yield batch
