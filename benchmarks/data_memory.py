"""What a training process holds of a data set of 12,000 clips: private memory beyond imports and mapped pages.

    python benchmarks/data_memory.py [--clips 12000] [--batches 200] [--full]

A process of its own reads the manifest (ids of DFEW's form, groups, domains, votes of ten annotators, five folds),
opens the packed store, carves a validation split and reads shuffled batches, as a unit of work does. Private memory is
what /proc/self/smaps_rollup calls Anonymous and Swap: all that the process holds beside pages of files (the mapped
frames, libraries), which the kernel shares between processes and can drop at any time. It is measured after the imports
(torch among them), after opening, and with every batch that is read (the largest counts).
The store's file of frames has no content, so that it fits any disk; --full writes it (35 GB at 12,000 clips).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.data.clip import Clip, OfficialFold, Source
from harness.data.clip_store import INDEX, PIXELS, VERSION
from harness.train.manifest import write_manifest

SIZE, LENGTH, FOLDS, CLASSES = 112, 77, 5, 7
LIMIT_MB = 200

PROBE = """
import sys, json, itertools
from pathlib import Path
import numpy as np
import torch
from harness.data.split import carve
from harness.data.store import ClipStore
from harness.spec.trial import ClipSpec, ValidationSpec
from harness.train.batches import ClipReader
from harness.train.manifest import read_manifest

def private():
    lines = Path('/proc/self/smaps_rollup').read_text().splitlines()
    wanted = ('Anonymous:', 'Swap:')
    return sum(int(line.split()[1]) for line in lines if line.startswith(wanted)) / 1024

torch.zeros(8, 8) @ torch.zeros(8, 8)
found = {'imports': private()}
folder = Path(sys.argv[1])
source, store = read_manifest(folder / 'manifest.json'), ClipStore.open(folder)
fold = carve(source, 1, ValidationSpec())
reader = ClipReader(source=source, store=store, clip=ClipSpec(frames=16, size=112))
found['opened'] = private()
largest = 0.0
for batch in itertools.islice(reader.shuffled(fold.train, 32, seed=0, epoch=1), int(sys.argv[2])):
    largest = max(largest, private())
found['reading'] = largest
mapped = [line for line in Path('/proc/self/smaps_rollup').read_text().splitlines() if line.startswith('Rss:')]
found['resident'] = int(mapped[0].split()[1]) / 1024
print(json.dumps(found))
"""


def write_data(folder: Path, count: int, *, full: bool) -> None:
    """A manifest and a pack of clips that are only named."""
    clips = {
        f"{number:05d}": Clip(
            clip_id=f"{number:05d}",
            path=folder,
            label=number % CLASSES,
            group=f"film {number // 40}",
            domain=f"{number % 5 + 6} of 10 agree",
            label_distribution=tuple(float(share) for share in votes(number)),
        )
        for number in range(1, count + 1)
    }
    ids = list(clips)
    folds = {
        fold: OfficialFold(
            tuple(i for i in ids if int(i) // 40 % FOLDS != fold - 1),
            tuple(i for i in ids if int(i) // 40 % FOLDS == fold - 1),
        )
        for fold in range(1, FOLDS + 1)
    }
    classes = tuple(f"class {label}" for label in range(CLASSES))
    source = Source(name="made", root=folder, classes=classes, clips=clips, folds=folds, excluded={})
    write_manifest(source, folder / "manifest.json")
    index = {
        "version": VERSION,
        "size": SIZE,
        "max_frames": 96,
        "bad": {},
        "regions": [[start * LENGTH, min(32, count - start) * LENGTH, 0] for start in range(0, count, 32)],
        "clips": {clip_id: [number * LENGTH, LENGTH, LENGTH] for number, clip_id in enumerate(ids)},
    }
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    with (folder / PIXELS).open("wb") as file:
        frame = os.urandom(SIZE * SIZE * 3)
        for _ in range(count * LENGTH if full else 0):
            file.write(frame)
        file.truncate(count * LENGTH * SIZE * SIZE * 3)


def votes(number: int) -> list[float]:
    """Seven votes for a clip's class, and three for the next ones."""
    shares = [0.0] * CLASSES
    for step, share in ((0, 0.7), (1, 0.2), (2, 0.1)):
        shares[(number + step) % CLASSES] = share
    return shares


def main() -> None:
    """Write the data, read it in another process, print what that held."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--clips", type=int, default=12_000)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--full", action="store_true", help="write the frames too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_data(folder, chosen.clips, full=chosen.full)
        probe = [sys.executable, "-c", PROBE, str(folder), str(chosen.batches)]
        answer = subprocess.run(probe, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]).stdout
    found = json.loads(answer)
    print(f"{chosen.clips:,} clips; private memory in MB")
    print(f"{'after imports':>28} {found['imports']:>8.1f}")
    print(f"{'opened, beyond imports':>28} {found['opened'] - found['imports']:>8.1f}")
    print(f"{'reading, beyond imports':>28} {found['reading'] - found['imports']:>8.1f}  (limit {LIMIT_MB})")
    print(f"{'resident, mapped pages too':>28} {found['resident']:>8.1f}")


if __name__ == "__main__":
    main()
