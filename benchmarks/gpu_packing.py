"""Several trainings on one GPU: does what was measured of one fit, is it worth it, and do results stay the same?

    python benchmarks/gpu_packing.py
    python benchmarks/gpu_packing.py --method c3d --size 112 --together 2 4 8
    python benchmarks/gpu_packing.py --device cpu --size 32 --frames 4 --width 0.5 --together 2

One training (synthetic clips, a few epochs, tested under some perturbations) is measured as ``gpus: auto`` measures it.
Then it is run alone, and with others beside it: as many as ``gpus: auto`` would put on the GPU, and as many as
``--together`` says, each in a process of its own with its share of the memory. A row tells what a training took, how
many were ended in the time that they would take one after another, the most memory that one reserved, how many had to
take batches in parts (none should: that changes results), and whether the first training's predictions are those of the
run alone, byte for byte. Needs no Ray. On a CPU there are no shares, and memory is the process's.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch
import yaml
from rich.console import Console

from harness.paths import RunPaths
from harness.plan import confirm_units
from harness.schedule.cluster.packing import CONTEXT_MB, Measured, memory_fraction, trials_per_gpu
from harness.schedule.run import open_study, prepare_shown
from harness.schedule.session import Session
from harness.train.memory import probe
from harness.train.unit import Task, execute

STARTING_SECONDS = 2.0


class Row(NamedTuple):
    """So many trainings at once.

    Attributes:
        seconds: from the first process's first step to the last one's last file.
        peak_mb: the most that one reserved.
        in_parts: trainings that ran out of memory once.
        predictions: of the first training's clean validation clips, as bytes.
    """

    seconds: float
    peak_mb: float
    in_parts: int
    predictions: bytes


def session(folder: Path, chosen: argparse.Namespace, trials: int) -> Session:
    """A study of so many trainings, prepared."""
    model = {"name": chosen.method} | ({"width": chosen.width} if chosen.width else {})
    study = {
        "name": "packing",
        "question": "How many trainings does a GPU hold?",
        "dataset": {"name": "synthetic", "size": "tiny"},
        "folds": [1],
        "seeds": list(range(trials)),
        "clip": {"frames": chosen.frames, "size": chosen.size, "max_stored_frames": 64},
        "training": {"epochs": chosen.epochs, "batch_size": chosen.batch, "warmup_epochs": 0},
        "methods": {"one": {"model": model}},
        "stress": {"perturbations": ["gaussian_noise", "low_resolution", "face_jitter"], "severities": [3]},
        "resources": {"cpus": 1, "gpus": 1 if chosen.device == "cuda" else 0},
    }
    file = folder / "packing.yaml"
    file.write_text(yaml.safe_dump(study, sort_keys=False))
    run = RunPaths(folder / "runs", "packing")
    run.units.mkdir(parents=True)
    opened = open_study(file)
    return Session(study=opened, run=run, prepared=prepare_shown(opened, run, Console()), device=chosen.device)


def one(task: Task) -> tuple[float, int]:
    """Run a training in this process: MB that it reserved at most, and micro-batches of a batch."""
    record = execute(task, lambda event: None)
    reserved = torch.cuda.max_memory_reserved() / 1e6 if task.device == "cuda" else float(record["peak_memory_mb"])
    return reserved, int(record.get("accumulation", 1))


def at_once(tasks: Sequence[Task], units: Path, fraction: float | None) -> Row:
    """Run trainings at the same time, each in a process of its own that has started."""
    placed = [task.model_copy(update={"units": str(units), "memory_fraction": fraction}) for task in tasks]
    units.mkdir()
    with ProcessPoolExecutor(len(placed), mp_context=get_context("spawn")) as pool:
        list(pool.map(_started, range(len(placed))))
        begun = perf_counter()
        found = list(pool.map(one, placed))
        seconds = perf_counter() - begun
    first = placed[0].paths.predictions("val").read_bytes()
    return Row(seconds, max(peak for peak, _ in found), sum(parts > 1 for _, parts in found), first)


def _started(_: int) -> None:
    """Import what a training needs and start CUDA, for long enough that every process has a turn."""
    until = perf_counter() + STARTING_SECONDS
    while perf_counter() < until:
        torch.zeros(1, device="cuda" if torch.cuda.is_available() else "cpu").item()


def main() -> int:
    """Measure one, run some, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--method", default="x3d")
    parser.add_argument("--width", type=float, help="of the network, instead of its default")
    for name, default in (("frames", 16), ("size", 112), ("batch", 16), ("epochs", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--together", type=int, nargs="*", default=[2, 4], help="beside what gpus: auto would do")
    chosen = parser.parse_args()
    on_gpu = chosen.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        sys.exit("skipped: torch sees no CUDA device here")
    total = torch.cuda.mem_get_info()[1] / 1e6 if on_gpu else 0.0
    with tempfile.TemporaryDirectory(prefix="dferbench-packing-") as name:
        folder = Path(name)
        made = session(folder, chosen, 16)
        tasks = [made.task(unit) for unit in confirm_units(made.study, made.prepared.dataset, "one", 0, {})]
        memory = probe(tasks[0])
        packed = trials_per_gpu(Measured(memory.reserved, total)) if on_gpu else 1
        print(f"measured: {memory.reserved:.0f} MB reserved; gpus: auto puts {packed} on a GPU of {total:.0f} MB\n")
        print("| at once | s | as fast as one after another | most MB | of a share of MB | in parts | same as alone |")
        print("|--:|--:|--:|--:|--:|--:|:--|")
        alone, fine = None, True
        for number in sorted({1, packed, *chosen.together}):
            fraction = memory_fraction(1 / number, total) if on_gpu else None
            row = at_once(tasks[:number], folder / f"units-{number}", fraction)
            alone = alone or row
            same = row.predictions == alone.predictions
            fine = fine and same and not (row.in_parts and number <= packed)
            share = total / number - CONTEXT_MB if on_gpu else 0.0
            cells = (f"{row.seconds:.1f}", f"{number * alone.seconds / row.seconds:.2f}", f"{row.peak_mb:.0f}")
            print(f"| {number} | {' | '.join(cells)} | {share:.0f} | {row.in_parts} | {'yes' if same else 'NO'} |")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
