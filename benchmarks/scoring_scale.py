"""Scoring ten million stored predictions: time and memory, files read included; and what one more run costs.

    python benchmarks/scoring_scale.py --clips 12000 --conditions 73 --trials 12

One process, no threads of ours. Predictions are drawn, written as a study writes them, and scored from the files.
"""

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.paths import UnitPaths
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.gather import Wanted, align, read_run
from harness.stats.kept_metrics import metrics_of
from harness.stats.outcomes import Run
from harness.tables.schema import VERSION, predictions

CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
METHODS = ("a", "b", "c", "d")
SUITE = "1"


def conditions(count: int) -> list[Condition]:
    """The clean condition and ``count - 1`` perturbed ones, three severities of each perturbation."""
    perturbed = (Condition(perturbation=f"p{index // 3:02d}", severity=1 + 2 * (index % 3)) for index in range(count))
    return [CLEAN_CONDITION, *list(perturbed)[: count - 1]]


def write_rows(path: Path, trial: int, split: str, shown: list[Condition], clips: int) -> None:
    """One predictions file in the table's schema, sorted by its key."""
    generator = np.random.default_rng(trial)
    labels = np.random.default_rng(0).integers(0, len(CLASSES), clips)
    ordered = sorted(shown, key=lambda one: (one.perturbation, one.severity))
    rows = len(ordered) * clips
    logits = generator.normal(size=(rows, len(CLASSES))).astype(np.float32)
    logits[np.arange(rows), np.tile(labels, len(ordered))] += 1.5

    def text(values: list[str], codes: np.ndarray) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), values).cast(pa.string())

    once, each = np.zeros(rows, dtype=np.int32), np.repeat(np.arange(len(ordered)), clips)
    table = predictions(len(CLASSES))
    columns = [
        text([f"trial{trial:03d}"], once),
        text(["validation"], once),
        text([split], once),
        text([one.perturbation for one in ordered], each),
        pa.array(np.repeat(np.array([one.severity for one in ordered], dtype=np.float32), clips)),
        pa.array(np.zeros(rows, dtype=np.int16)),
        text([f"clip{index:06d}" for index in range(clips)], np.tile(np.arange(clips), len(ordered))),
        text([f"person{index:04d}" for index in range(clips // 10 + 1)], np.tile(np.arange(clips) // 10, len(ordered))),
        text(["studio"], once),
        pa.array(np.tile(labels, len(ordered)).astype(np.int16)),
        pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), len(CLASSES)),
    ]
    arrow = pa.table(columns, schema=table.schema)
    arrow = arrow.replace_schema_metadata({b"dferbench.version": str(VERSION).encode()})
    strings = [field.name for field in table.schema if pa.types.is_string(field.type)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow, path, compression="zstd", use_dictionary=strings)


def write_trial(units: Path, trial: int, shown: list[Condition], clips: int) -> UnitPaths:
    """A trial's validation and test predictions."""
    unit = UnitPaths(units / f"trial{trial:03d}")
    write_rows(unit.predictions("val"), trial, "val", [CLEAN_CONDITION], clips // 5)
    write_rows(unit.test_predictions_file(SUITE, "0"), trial, "test", shown, clips)
    return unit


def score(units: list[UnitPaths]) -> int:
    """Every metric of every condition; how many numbers."""
    found = 0
    for unit in units:
        for path in (unit.predictions("val"), unit.test_predictions_file(SUITE, "0")):
            found += len(metrics_of(path, CLASSES, unit.predictions("val")))
    return found


def gather(units: list[UnitPaths], shown: list[Condition]) -> int:
    """What the report's statistics are computed from: the named classes of all runs, aligned; how many of them."""
    wanted = Wanted(num_classes=len(CLASSES), conditions=frozenset(shown))
    runs = [
        read_run(
            Run(method=METHODS[index % 4], fold=1, seed=index // 4, trial_id=unit.folder.name),
            unit.test_predictions(SUITE),
            wanted,
        )
        for index, unit in enumerate(units)
    ]
    return sum(fold.predicted.size for fold in align(runs, CLASSES, METHODS).folds)


def timed(what: str, call: object, *args: object) -> None:
    """Print how long a call takes and the largest memory of this process so far."""
    start, busy = time.perf_counter(), time.process_time()
    result = call(*args)  # type: ignore[operator]
    wall, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:52} {wall:8.2f} s ({busy:.2f} s of processor)   {result:>12,}   peak {peak:,.0f} MB", flush=True)


def main() -> None:
    """Write, score, score again, add a run, and gather."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12_000)
    parser.add_argument("--conditions", type=int, default=73)
    parser.add_argument("--trials", type=int, default=12)
    options = parser.parse_args()
    shown, root = conditions(options.conditions), Path(tempfile.mkdtemp())
    try:
        units = [write_trial(root, trial, shown, options.clips) for trial in range(options.trials)]
        size = sum(path.stat().st_size for path in root.rglob("*.parquet")) / 2**20
        rows = options.trials * options.clips * options.conditions
        print(f"{rows:,} test rows of {options.trials} trials in {size:,.0f} MB")
        timed("score all: numbers", score, units)
        timed("score all again: numbers", score, units)
        more = write_trial(root, options.trials, shown, options.clips)
        timed("score all and one more trial: numbers", score, [*units, more])
        timed("gather named classes for the statistics", gather, units, shown)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
