"""What evaluating a network under many conditions holds in memory, beside one condition.

    OMP_NUM_THREADS=1 python benchmarks/suite_memory.py

runs the harness's own ``evaluate`` on procedural clips, each row in a process of its own, and prints the largest
resident memory of the process beyond what it held before: the clean clips alone, one condition of each perturbation,
the whole suite, and the suite drawn three times. The network is as good as none, so that nothing hides what perturbing
holds. The step from the first row is the working memory of perturbing one batch, and tables kept for the suite's
levels; from then on nothing may grow but logits. The script fails if three drawings take a fifth more than one.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.train.batches import Batch
from harness.train.predict import EVALUATION_BATCH, evaluate
from harness.train.showing import Pass, passes_of
from models._blocks.model import Output
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import suite

MOST_GROWTH = 1.2


class Means(nn.Module):
    """Seven means of a clip's pixels for logits."""

    def forward(self, clips: Tensor) -> Output:
        """Logits and features of ``b t c h w``."""
        logits = clips.mean((1, 2, 3, 4))[:, None].expand(-1, 7)
        return Output(logits, logits)


class Probes:
    """A reader that makes each batch when it is asked for, as one that decodes does."""

    def __init__(self, frames: int, size: int) -> None:
        self.clip = moving_clip(ClipShape(frames, size, size), 0)

    def in_order(self, clip_ids: Sequence[str], batch_size: int) -> Iterator[Batch]:
        """The clips in batches."""
        for start in range(0, len(clip_ids), batch_size):
            ids = tuple(clip_ids[start : start + batch_size])
            none = torch.zeros(len(ids), dtype=torch.int64)
            yield Batch(clip_ids=ids, pixels=self.clip.expand(len(ids), *self.clip.shape), labels=none, groups=none)


class Row(NamedTuple):
    """One process: what is shown to it."""

    title: str
    shown: list[Pass]


def rows(name: str) -> list[Row]:
    """From one pass to three times a suite."""
    conditions = [Condition(perturbation=each, severity=severity) for each, severity in suite(name).conditions]
    once = {condition.perturbation: condition for condition in conditions}
    return [
        Row("clean clips", passes_of([CLEAN_CONDITION], 1)),
        Row("one condition of each perturbation", passes_of([CLEAN_CONDITION, *once.values()], 1)),
        Row(f"the suite {name}", passes_of([CLEAN_CONDITION, *conditions], 1)),
        Row(f"the suite {name}, drawn three times", passes_of([CLEAN_CONDITION, *conditions], 3)),
    ]


def peak_mb() -> float:
    """The largest resident memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def probe(shown: Sequence[Pass], clips: int, frames: int, size: int) -> float:
    """The growth of this process's peak while it evaluates."""
    torch.set_num_threads(1)
    ids = [f"clip-{number}" for number in range(clips)]
    reader, device = Probes(frames, size), torch.device("cpu")
    before = peak_mb()
    evaluate(Means(), reader, ids, shown, EVALUATION_BATCH, device)  # type: ignore[arg-type] # reads as a ClipReader does
    return peak_mb() - before


def main() -> None:
    """Measure every row in a fresh process, print, and fail on growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, default in (("clips", 64), ("frames", 16), ("size", 112)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--suite", default="core")
    parser.add_argument("--row", type=int, help="measure this row here (used by the script itself)")
    chosen = parser.parse_args()
    table = rows(chosen.suite)
    if chosen.row is not None:
        print(json.dumps(probe(table[chosen.row].shown, chosen.clips, chosen.frames, chosen.size)))
        return
    print(f"{chosen.clips} clips of {chosen.frames}x3x{chosen.size}x{chosen.size}, batches of {EVALUATION_BATCH}\n")
    print("| shown | passes | peak memory beyond the start (MB) |\n|:--|--:|--:|")
    peaks = []
    for number, row in enumerate(table):
        command = [sys.executable, str(Path(__file__)), *sys.argv[1:], "--row", str(number)]
        peaks.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(f"| {row.title} | {len(row.shown)} | {peaks[-1]:.0f} |", flush=True)
    if peaks[3] > MOST_GROWTH * peaks[2]:
        sys.exit(f"three drawings take {peaks[3] / peaks[2]:.2f} times the memory of one")


if __name__ == "__main__":
    main()
