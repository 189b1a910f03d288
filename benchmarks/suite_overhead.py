"""What evaluating a network on a perturbation suite costs beside its bare forward passes on as many clips.

    OMP_NUM_THREADS=1 python benchmarks/suite_overhead.py
    python benchmarks/suite_overhead.py --device cuda --precision bfloat16 --clips 64 --rounds 5

runs the harness's own ``evaluate`` (clips read once, perturbed on the network's device) on X3D-M at 16x112x112 and
prints the ratio of its time to that of the same number of forward passes on clips that lie on the device as floats, and
what each perturbation adds to its own passes, the heaviest first. Both are measured in turn, perturbation by
perturbation, so that a busy machine slows them alike; the best of the rounds counts. Processor time on a CPU, time on
the wall between synchronisations on a GPU. The script fails above 1.3 on a CPU and above 1.25 on a GPU.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from harness.plugins import load
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.train.batches import Batch
from harness.train.isolation import deterministic
from harness.train.predict import evaluate, to_floats
from harness.train.showing import Pass
from models._blocks.model import ClipShape as NetworkShape
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import suite

LARGEST_RATIO = {"cpu": 1.3, "cuda": 1.25}


@dataclass(frozen=True)
class Probes:
    """A reader of procedural clips that lie in memory as decoded."""

    pixels: Tensor

    def in_order(self, clip_ids: Sequence[str], batch_size: int) -> Iterator[Batch]:
        """The clips in batches."""
        for start in range(0, len(clip_ids), batch_size):
            pixels = self.pixels[start : start + batch_size]
            none = torch.zeros(len(pixels), dtype=torch.int64)
            ids = tuple(clip_ids[start : start + batch_size])
            yield Batch(clip_ids=ids, pixels=pixels, labels=none, groups=none)


class Cost(NamedTuple):
    """Seconds of a perturbation's passes, and of as many bare forward passes."""

    name: str
    suite: float
    bare: float


@dataclass(frozen=True)
class Bench:
    """A network and clips for it, on a device."""

    network: nn.Module
    clips: Probes
    device: torch.device
    batch: int
    autocast: Callable[[], AbstractContextManager[object]]
    rounds: int

    def cost(self, name: str, conditions: Sequence[Condition]) -> Cost:
        """The best of several rounds of both, in turn."""
        floats = [to_floats(part, self.device) for part in self.clips.pixels.split(self.batch)]
        works = (partial(self._evaluate, conditions), partial(self._forward, floats, len(conditions)))
        rounds = [[self._seconds(work) for work in works] for _ in range(self.rounds)]
        return Cost(name, *(min(column) for column in zip(*rounds, strict=True)))

    def _evaluate(self, conditions: Sequence[Condition]) -> None:
        ids = [f"clip-{number}" for number in range(len(self.clips.pixels))]
        shown = [Pass(condition, 0) for condition in conditions]
        evaluate(self.network, self.clips, ids, shown, self.batch, self.device)

    def _forward(self, floats: Sequence[Tensor], passes: int) -> None:
        with torch.no_grad():
            for part in floats:
                torch.stack([self.network(part).logits.float() for _ in range(passes)]).cpu()

    def _seconds(self, work: Callable[[], None]) -> float:
        clock = time.process_time if self.device.type == "cpu" else time.perf_counter
        with deterministic(self.device), self.autocast():
            start = clock()
            work()
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            return clock() - start


def bench(arguments: argparse.Namespace) -> Bench:
    """X3D in evaluation mode with the clips it is shown."""
    device = torch.device(arguments.device)
    model = load("model", "x3d")
    config = model.config(width=arguments.width, depth=arguments.depth)
    network = model.build(config, 7, NetworkShape(arguments.frames, arguments.size))
    shape = ClipShape(arguments.frames, arguments.size, arguments.size)
    pixels = torch.stack([moving_clip(shape, number) for number in range(arguments.clips)])
    precision = getattr(torch, arguments.precision)
    autocast = partial(torch.autocast, device.type, dtype=precision, enabled=precision != torch.float32)
    return Bench(network.to(device).eval(), Probes(pixels), device, arguments.batch, autocast, arguments.rounds)


def grouped(name: str, only: Sequence[str]) -> dict[str, list[Condition]]:
    """A suite's conditions by perturbation, the clean clip among them."""
    groups: dict[str, list[Condition]] = {} if only else {"clean": [CLEAN_CONDITION]}
    for perturbation, severity in suite(name).conditions:
        if not only or perturbation in only:
            groups.setdefault(perturbation, []).append(Condition(perturbation=perturbation, severity=severity))
    return groups


def main() -> None:
    """Measure, print, and fail above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--suite", default="core")
    parser.add_argument("--only", nargs="*", default=[], help="names of perturbations")
    for option, default in (("clips", 4), ("batch", 32), ("frames", 16), ("size", 112), ("rounds", 2)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--width", type=float, default=2.0, help="X3D's channel multiplier")
    parser.add_argument("--depth", type=float, default=2.2, help="X3D's block multiplier")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("skipped: torch sees no CUDA device here")
    one = bench(arguments)
    groups = grouped(arguments.suite, arguments.only)
    one.cost("warm-up", [CLEAN_CONDITION])
    costs = [one.cost(name, conditions) for name, conditions in groups.items()]
    ratio = sum(cost.suite for cost in costs) / sum(cost.bare for cost in costs)
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    size = f"{arguments.clips} clips of {arguments.frames}x{arguments.size}x{arguments.size}"
    print(f"torch {torch.__version__}, {where}, {arguments.precision}, X3D, {size}, suite {arguments.suite}\n")
    print(
        "| perturbation | ms a clip beyond the forward pass | share of the forward pass | share of all that is added |"
    )
    print("|:--|--:|--:|--:|")
    added = sum(cost.suite - cost.bare for cost in costs)
    for cost in sorted(costs, key=lambda cost: cost.bare - cost.suite):
        more, shown = cost.suite - cost.bare, len(groups[cost.name]) * arguments.clips
        print(f"| {cost.name} | {1000 * more / shown:.2f} | {more / cost.bare:.3f} | {more / added:.2f} |")
    print(f"\n{sum(map(len, groups.values()))} passes cost {ratio:.3f} times as many bare forward passes")
    limit = LARGEST_RATIO[arguments.device]
    if ratio > limit:
        sys.exit(f"above {limit}")


if __name__ == "__main__":
    main()
