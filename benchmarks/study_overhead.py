"""What Ray Tune, the state machine and the bookkeeping of a study cost beside its trainings.

    OMP_NUM_THREADS=1 python benchmarks/study_overhead.py
    OMP_NUM_THREADS=1 python benchmarks/study_overhead.py --units 20 --slots 1
    OMP_NUM_THREADS=1 python benchmarks/study_overhead.py --units 20 --gpus 1 --slots 1 --epochs 200
    OMP_NUM_THREADS=1 python benchmarks/study_overhead.py --units 40 --gpus 0.5 --slots 2 --epochs 200
    OMP_NUM_THREADS=1 python benchmarks/study_overhead.py --units 20 --gpus 1 --slots 1 --epochs 200 --local

A study of 200 small trainings, each with a test on clean clips, is run by ``dferbench run`` on Ray. A training's time
is what its worker was busy with it, from taking it up to its last file; the overhead is the rest of the slots' time:

    overhead of a unit = (time between the first start and the last end x slots - sum of busy times) / units

The driver shares the processors with the workers, as in a real study, so its own work is in the overhead. The start of
Ray and of its workers is told apart, because a study pays it once. What the overhead is in a study of one-minute units
follows by division: it does not depend on how long a training takes. Target: 5 % of a minute.

A second table tells how long a slot waits between the last file of a training and the start of the next: for Tune, for
the process, which on a GPU gives its memory back and is used again, and for the next network to be built. With
``--gpus`` each training asks for that share of a GPU, and what a slot waits, a GPU waits. Target: 5 % of the time, both
of trainings as long as these and of one-minute trainings; ``--epochs`` makes them longer. What the first trainings wait
for, the start of PyTorch and CUDA, is not in it. On a GPU that several slots share, one works while another waits.

With ``--local`` there is no Ray and one slot: what is left is what the program itself costs between trainings.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from time import perf_counter

import yaml

MINUTE, TARGET = 60.0, 0.05
FOLDS = 5


def study(units: int, epochs: int, gpus: float) -> dict[str, object]:
    """Small networks on the embedded data set: about a second each on an idle processor."""
    return {
        "name": "overhead",
        "question": "What does a study cost beside its trainings?",
        "dataset": {"name": "synthetic", "size": "tiny"},
        "folds": list(range(1, FOLDS + 1)),
        "seeds": list(range(max(1, units // FOLDS))),
        "clip": {"frames": 4, "size": 32, "max_stored_frames": 64, "augment": ["flip"]},
        "training": {"epochs": epochs, "batch_size": 16, "warmup_epochs": 0},
        "methods": {"small": {"model": {"name": "resnet18_lstm", "width": 8, "hidden": 8, "layers": 1}}},
        "stress": {"perturbations": [], "audit": False},
        "resources": {"cpus": 1, "gpus": gpus},
    }


def busy(runs: Path) -> Iterator[tuple[float, float]]:
    """When each training's worker took it up and put its last file down, in seconds since 1970.

    A record says how long the training took and when it ended; the file of the test is written last, and what the
    report leaves in the folder later does not count.
    """
    for record in runs.glob("units/*/record.json"):
        content = json.loads(record.read_text())
        ended = datetime.fromisoformat(content["created_at"]).timestamp()
        tested = max(file.stat().st_mtime for file in record.parent.glob("predictions-test-*.parquet"))
        yield ended - content["seconds"], tested


def waits(spans: list[tuple[float, float]], slots: int) -> list[float]:
    """Seconds that slots wait between two trainings; a training goes to the slot that was freed last.

    >>> waits([(0, 4), (1, 5), (5, 8), (5.5, 9)], 2)
    [0, 1.5]
    """
    ends: list[float] = []
    found = []
    for start, end in sorted(spans):
        freed = [before for before in ends if before <= start]
        if not freed and len(ends) < slots:
            ends.append(end)
            continue
        before = max(freed, default=min(ends, default=start))
        found.append(max(0, start - before))
        ends[ends.index(before)] = end
    return found


def print_waits(spans: list[tuple[float, float]], slots: int) -> bool:
    """Print how long a slot waits between two trainings; whether it is within the target."""
    found, working = waits(spans, slots), sum(end - start for start, end in spans)
    if not found:
        sys.exit(f"{len(spans)} trainings in {slots} slots: none follows another; take more --units")
    mean = sum(found) / len(found)
    share, of_minute = sum(found) / (sum(found) + working), mean / (mean + MINUTE)
    print("| waits | mean s | longest s | of the slots' time | of one-minute trainings |")
    print("|--:|--:|--:|--:|--:|")
    print(f"| {len(found)} | {mean:.3f} | {max(found):.3f} | {share:.2%} | {of_minute:.2%} |")
    within = max(share, of_minute) <= TARGET
    print(f"{'within' if within else 'ABOVE'} the target of {TARGET:.0%} between trainings")
    return within


def ran(chosen: argparse.Namespace) -> tuple[list[tuple[float, float]], float]:
    """When each training of the study began and ended, in order, and the seconds that the whole command took."""
    with tempfile.TemporaryDirectory(prefix="dferbench-overhead-") as folder:
        file, runs = Path(folder) / "study.yaml", Path(folder) / "runs"
        file.write_text(yaml.safe_dump(study(chosen.units, chosen.epochs, chosen.gpus), sort_keys=False))
        command = [sys.executable, "-m", "harness.cli", "run", file, "--out", runs, "--plain"]
        command += ["--local"] if chosen.local else ["--slots", chosen.slots]
        started = perf_counter()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        wall = perf_counter() - started
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        return sorted(busy(runs)), wall


def main() -> int:
    """Run the study and print what it cost beside its trainings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=200, help="a multiple of five")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--slots", type=int, default=max(1, os.cpu_count() or 1))
    parser.add_argument("--gpus", type=float, default=0.0, help="share of a GPU for each training")
    parser.add_argument("--local", action="store_true", help="one after another in one process, without Ray")
    chosen = parser.parse_args()
    slots = 1 if chosen.local else chosen.slots
    spans, wall = ran(chosen)
    working = sum(end - start for start, end in spans)
    between = max(end for _, end in spans) - min(start for start, _ in spans)
    each = (between * slots - working) / len(spans)
    share = each / MINUTE
    print(f"| units | slots | busy s per unit | overhead s per unit | start and report s | {MINUTE:.0f} s units |")
    print("|--:|--:|--:|--:|--:|--:|")
    cells = (f"{working / len(spans):.2f}", f"{each:.3f}", f"{wall - between:.1f}", f"{share:.2%} overhead")
    print(f"| {len(spans)} | {slots} | " + " | ".join(cells) + " |")
    print(f"{'within' if share <= TARGET else 'ABOVE'} the target of {TARGET:.0%}")
    within = print_waits(spans, slots)
    return 0 if share <= TARGET and (within or not chosen.gpus) else 1


if __name__ == "__main__":
    sys.exit(main())
