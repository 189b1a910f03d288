"""How much memory a unit needs, measured on one batch; how much of a GPU it may take, and that it gives it back."""

import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from harness.objectives._contract import TrainState
from harness.spec.trial import CLEAN_CONDITION, ClipSpec
from harness.train.fit import Training
from harness.train.isolation import isolated
from harness.train.leftover import Leftover
from harness.train.predict import EVALUATION_BATCH, logits_of, to_floats
from harness.train.provenance import forget_peak, peak_memory_mb
from harness.train.showing import Pass, as_shown, on_host
from harness.train.task import Task, open_clips
from harness.train.train import ACCUMULATION, free_memory, is_out_of_memory

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
    """Within it, this process takes no more than the task's share of its GPU; past it, memory runs out for it alone.

    A GPU that an error has broken cannot be told afterwards; that error is the one that goes on.
    """
    if task.memory_fraction is None or torch.device(task.device).type != "cuda":
        yield
        return
    torch.cuda.set_per_process_memory_fraction(task.memory_fraction)
    try:
        yield
    finally:
        with suppress(torch.AcceleratorError):
            torch.cuda.set_per_process_memory_fraction(1.0)


def room() -> tuple[float, float]:
    """Bytes of the GPU that this process can have, what it has already among them, and bytes of the GPU in all."""
    free, total = torch.cuda.mem_get_info()
    return free + torch.cuda.memory_reserved(), total


def broken_gpu() -> str:
    """What CUDA complains of when it is asked to finish its work; empty if it does not.

    After most of its errors every further call of the process fails.
    """
    try:
        torch.cuda.synchronize()
    except torch.AcceleratorError as error:
        return str(error).partition("\n")[0]
    return ""


def leave_gpu() -> Leftover:
    """Give the GPU's memory back, but for CUDA's own and tensors that something still refers to, and look at the rest.

    Call it when no frame of the unit is alive any more: an exception's traceback keeps all of its tensors.
    """
    gc.collect()
    broken = broken_gpu()
    if broken:
        return Leftover(0.0, broken)
    torch.cuda.empty_cache()
    empty_host_cache = getattr(torch.accelerator, "empty_host_cache", None)  # of pinned memory; torch 2.11 has none
    if empty_host_cache is not None:
        empty_host_cache()
    torch.cuda.reset_peak_memory_stats()
    return Leftover(torch.cuda.memory_allocated() / 1e6)


def probe(task: Task) -> Memory:
    """Peak memory of a unit's training and evaluation, measured on one batch of noise in a process of its own.

    A process's peak cannot be taken back, so only a fresh one tells.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, task).result()


def measure(task: Task) -> Memory:
    """The same in this process; on the CPU the peak is at least what this process has used before.

    A batch that is too large is taken in two parts, as the trial would.
    """
    try:
        return _measured(task, 1)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    free_memory(task)
    return _measured(task, ACCUMULATION)


def _measured(task: Task, accumulation: int) -> Memory:
    device, trial = torch.device(task.device), task.trial
    reader, fold = open_clips(task)
    with isolated(0, task.threads, device):
        forget_peak(device)
        training = Training(trial, replace(fold, test=()), reader, device, accumulation)
        count = max(2, min(trial.training.batch_size, len(fold.train)))
        labels = torch.arange(count, device=device) % len(reader.source.classes)
        state = TrainState(groups=torch.zeros(count, dtype=torch.long, device=device))
        kept = []
        for _ in range(STEPS):
            training.stepper.step(_noise(count, trial.clip, device), labels, state)
            # the best epoch's weights, and an audit's; later, networks that are tested beside the selected one
            kept.append({name: value.clone() for name, value in training.model.state_dict().items()})
        training.model.eval()
        with torch.no_grad():
            for clips in _shown(task, _noise(EVALUATION_BATCH, trial.clip, device)):
                logits_of(training.model, clips)
        reserved = torch.cuda.max_memory_reserved(device) / 1e6 if device.type == "cuda" else peak_memory_mb(device)
        return Memory(peak_memory_mb(device), reserved)


def _shown(task: Task, clips: Float[Tensor, "b t c h w"]) -> Iterator[Float[Tensor, "b t c h w"]]:
    """Clips as they are, and under the highest severity of each perturbation that is applied where the network is."""
    yield clips
    pixels = clips.mul(255).to(torch.uint8)
    names = [str(number) for number in range(len(pixels))]
    highest = {one.perturbation: one for one in sorted(task.conditions, key=lambda one: one.severity)}
    for condition in highest.values():
        if condition != CLEAN_CONDITION and not on_host(Pass(condition, 0)):
            yield to_floats(as_shown(pixels, names, Pass(condition, 0)), clips.device)


def _noise(count: int, clip: ClipSpec, device: torch.device) -> Float[Tensor, "b t c h w"]:
    """Clips of the trial's shape."""
    return torch.rand(count, clip.frames, 3, clip.size, clip.size, device=device)
