"""How fast clips are perturbed, beside kornia's classes, torchvision v2 and imagecorruptions.

    OMP_NUM_THREADS=1 python benchmarks/perturbation_speed.py
    OMP_NUM_THREADS=1 python benchmarks/perturbation_speed.py --only roll jpeg --rounds 40
    python benchmarks/perturbation_speed.py --device cuda --clips 32

prints a Markdown table of clips a second at severity 3, in one run. Ours goes from 8-bit clips to 8-bit clips, as
cameras and decoders give them, draws included. Rivals are read from bytes to bytes, which is the fair reading, and from
floats to floats (``perturbation_rivals.py``).

On a CPU one thread works and its processor time counts; on a GPU, time on the wall between synchronisations. Rounds of
the contestants alternate, each long enough to be measured, and a ratio is the median over rounds of the times of one
round, so that a busy machine slows both alike. Freed memory is kept by the process, as it is in one that has run a
network, so that nobody pays for fresh pages. Ratios below one are losses. The last lines name the closest.
"""

import argparse
import ctypes
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping

import torch
from perturbation_rivals import line_up

from perturbations._contract import ClipShape
from perturbations._probe import moving_clip

COLUMNS = ("kornia", "torchvision", "imagecorruptions", "kornia in floats", "torchvision in floats")
RATIOS = {
    "the best rival, bytes to bytes": COLUMNS[:3],
    "the best rival, floats to floats": COLUMNS[3:],
    "imagecorruptions": COLUMNS[2:3],
}
SLOT = 0.02
"""Seconds that each contestant works in a round, at least."""
CLOSE = 1.05


def keep_freed_memory() -> None:
    """Tell glibc's allocator to give nothing back; elsewhere nothing is told."""
    trim_threshold, mmap_threshold = -1, -3
    if hasattr(ctypes.CDLL(None), "mallopt"):
        ctypes.CDLL(None).mallopt(trim_threshold, 1 << 30)
        ctypes.CDLL(None).mallopt(mmap_threshold, 32 << 20)


def seconds(works: Mapping[str, Callable[[], object]], rounds: int, device: str) -> dict[str, list[float]]:
    """Each contestant's time for one call, in each of several alternating rounds; who raises is left out."""
    calls = {}
    for name, work in works.items():
        try:
            work()
        except Exception as error:
            warnings.warn(f"left out: {error!r}", stacklevel=2)
        else:
            calls[name] = max(1, math.ceil(SLOT / _timed(work, 1, device)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, number in calls.items():
            times[name].append(_timed(works[name], number, device))
    return times


def _timed(work: Callable[[], object], calls: int, device: str) -> float:
    """Seconds a call."""
    clock = time.thread_time if device == "cpu" else time.perf_counter
    if device == "cuda":
        torch.cuda.synchronize()
    start = clock()
    for _ in range(calls):
        work()
    if device == "cuda":
        torch.cuda.synchronize()
    return (clock() - start) / calls


def against_best(times: Mapping[str, list[float]], rivals: Iterable[str]) -> float:
    """How many times as fast as the fastest rival ours is: the median of the rounds; nan without one."""
    ratios = [
        statistics.median(theirs / ours for theirs, ours in zip(times[rival], times["ours"], strict=True))
        for rival in rivals
        if rival in times
    ]
    return min(ratios, default=math.nan)


def row(name: str, times: Mapping[str, list[float]], clips: int) -> str:
    """A line of the table."""
    speeds = [f"{clips / statistics.median(times[each]):.0f}" if each in times else "-" for each in ("ours", *COLUMNS)]
    ratios = [against_best(times, columns) for columns in list(RATIOS.values())[:2]]
    return f"| {' | '.join([name, *speeds, *(f'{ratio:.2f}' if ratio == ratio else '-' for ratio in ratios)])} |"


def summary(table: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Geometric means, and who is close to a rival or behind."""
    lines = []
    for title, columns in RATIOS.items():
        ratios = {name: against_best(times, columns) for name, times in table.items()}
        known = {name: ratio for name, ratio in ratios.items() if ratio == ratio}
        if known:
            mean = statistics.geometric_mean(known.values())
            lines.append(f"Geometric mean of ours / {title} over {len(known)}: {mean:.1f}")
            close = sorted((ratio, name) for name, ratio in known.items() if ratio < CLOSE)
            lines.append(f"Below {CLOSE}: {', '.join(f'{name} {ratio:.2f}' for ratio, name in close) or 'none'}")
    return "\n\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="*", help="names of perturbations")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("skipped: torch sees no CUDA device here")
    torch.set_num_threads(1)
    keep_freed_memory()
    shape = ClipShape(16, arguments.size, arguments.size)
    clips = torch.stack([moving_clip(shape, number) for number in range(arguments.clips)]).to(arguments.device)
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else "1 thread"
    print(f"torch {torch.__version__}, 16x3x{arguments.size}x{arguments.size}, {arguments.clips} clips, {where}\n")
    print(f"| perturbation | ours | {' | '.join(COLUMNS)} | ours / best | ours / best in floats |")
    print("|:--|" + "--:|" * (len(COLUMNS) + 3))
    lines = line_up(clips)
    table = {}
    for name in arguments.only or lines:
        table[name] = seconds(lines[name], arguments.rounds, arguments.device)
        print(row(name, table[name], arguments.clips), flush=True)
    print(f"\n{summary(table)}")


if __name__ == "__main__":
    main()
