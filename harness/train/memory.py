"""How much memory a unit needs, measured on one batch; and how much of a shared GPU it may take."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from harness.objectives._contract import TrainState
from harness.spec.trial import ClipSpec
from harness.train.fit import Training
from harness.train.isolation import isolated
from harness.train.predict import EVALUATION_BATCH
from harness.train.provenance import forget_peak, peak_memory_mb
from harness.train.task import Task, open_clips

STEPS = 2
"""Training steps measured: optimisers allocate their state in the first, SAM's second pass is in each."""


class Memory(NamedTuple):
    """Peak megabytes (10^6 bytes) of a unit.

    Attributes:
        allocated: of tensors on a GPU; on the CPU, of the whole process.
        reserved: what the allocator took from the GPU for them, which is what others cannot have; without the CUDA
            context, which takes some hundred megabytes more per process.
    """

    allocated: float
    reserved: float


@contextmanager
def limited(task: Task) -> Iterator[None]:
    """Within it, this process takes no more than the task's share of its GPU; past it, memory runs out for it alone."""
    if task.memory_fraction is None or torch.device(task.device).type != "cuda":
        yield
        return
    torch.cuda.set_per_process_memory_fraction(task.memory_fraction)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def probe(task: Task) -> Memory:
    """Peak memory of a unit's training and evaluation, measured on one batch of noise in a process of its own.

    A process's peak cannot be taken back, so only a fresh one tells.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, task).result()


def measure(task: Task) -> Memory:
    """The same in this process; on the CPU the peak is at least what this process has used before."""
    device, trial = torch.device(task.device), task.trial
    reader, fold = open_clips(task)
    with isolated(0, task.threads, device):
        forget_peak(device)
        training = Training(trial, replace(fold, test=()), reader, device)
        count = max(2, min(trial.training.batch_size, len(fold.train)))
        labels = torch.arange(count, device=device) % len(reader.source.classes)
        state = TrainState(groups=torch.zeros(count, dtype=torch.long, device=device))
        for _ in range(STEPS):
            training.stepper.step(_noise(count, trial.clip, device), labels, state)
        training.model.eval()
        with torch.no_grad():
            training.model(_noise(EVALUATION_BATCH, trial.clip, device))
        reserved = torch.cuda.max_memory_reserved(device) / 1e6 if device.type == "cuda" else peak_memory_mb(device)
        return Memory(peak_memory_mb(device), reserved)


def _noise(count: int, clip: ClipSpec, device: torch.device) -> Float[Tensor, "b t c h w"]:
    """Clips of the trial's shape."""
    return torch.rand(count, clip.frames, 3, clip.size, clip.size, device=device)
