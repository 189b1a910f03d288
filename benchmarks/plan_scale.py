"""What 10,000 trainings cost before one of them runs: making their plan, and finding out what storage holds of them.

    OMP_NUM_THREADS=1 python benchmarks/plan_scale.py

Ten methods are searched (100 configurations on 5 folds each) and confirmed, ten are confirmed alone. One real training
is copied into the place of every training that counts as finished. Every row is a process of its own:
``plan`` is everything that ``dferbench plan`` does after its imports, ``resume`` builds the state machine with which a
run begins, ``tables`` writes the study's tables. Target: 10 seconds and 500 MB beyond what the imports alone take.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import yaml

SECONDS, MEGABYTES = 10.0, 500.0
STUDY = {
    "name": "scale",
    "question": "How long does it take to know what is to be done?",
    "dataset": {"name": "synthetic", "size": "tiny"},
    "folds": [1, 2, 3, 4, 5],
    "clip": {"frames": 2, "size": 16, "max_stored_frames": 64, "augment": []},
    "training": {"epochs": 1, "batch_size": 64, "warmup_epochs": 0},
    "search": {"configurations": 100, "parallel": 20, "sampler": "random", "racing": {"rule": "none"}},
    "stress": {"perturbations": ["gaussian_noise"], "severities": [3]},
}


def study(units: int) -> dict[str, object]:
    """A study of so many units: half of them searched, the others confirmed."""
    networks = {
        f"m{number:02d}": {"model": {"name": "resnet18_lstm", "width": 1, "hidden": 2 + number, "layers": 1}}
        for number in range(20)
    }
    for name in list(networks)[:10]:
        networks[name]["search"] = {"optimizer.learning_rate": {"log_uniform": [1e-4, 1e-2]}}
    search = {**STUDY["search"], "configurations": max(1, units // 2 // (10 * 5))}
    return {**STUDY, "methods": networks, "seeds": list(range(max(1, units // 2 // (20 * 5)))), "search": search}


def main() -> int:
    """Start a process for each row and print a table of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.row:
        print(json.dumps(measure(chosen.row, chosen.folder)))
        return 0
    worst = (0.0, 0.0)
    print("| what | units | seconds | processor seconds | MB beyond imports |\n|:--|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="dferbench-scale-") as folder:
        (Path(folder) / "scale.yaml").write_text(yaml.safe_dump(study(chosen.units), sort_keys=False))
        for row in ("prepare", "plan", "finish-half", "plan", "resume", "finish-all", "plan", "resume", "tables"):
            command = [sys.executable, __file__, "--row", row, "--folder", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            found = json.loads(done.stdout.splitlines()[-1])
            cells = (found["what"], f"{found['units']:,}", *(f"{found[name]:.1f}" for name in ("seconds", "cpu", "mb")))
            print("| " + " | ".join(cells) + " |", flush=True)
            if row in {"plan", "resume"}:
                worst = (max(worst[0], found["seconds"]), max(worst[1], found["mb"]))
    fine = worst[0] < SECONDS and worst[1] < MEGABYTES
    print(f"\nworst: {worst[0]:.1f} s and {worst[1]:.0f} MB: {'within' if fine else 'ABOVE'} the target")
    return 0 if fine else 1


def measure(row: str, folder: Path) -> dict[str, object]:
    """One row: what was done, how long it took, and how much memory it took beyond the imports."""
    import harness.schedule.forecasting.forecast as _forecast  # noqa: F401 - its imports are not what is measured
    import harness.schedule.session as _session  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = perf_counter(), process_time()
    what, units = {
        "prepare": prepare,
        "plan": plan,
        "finish-half": lambda folder: finish(folder, 0.5),
        "finish-all": lambda folder: finish(folder, 1.0),
        "resume": resume,
        "tables": tables,
    }[row](folder)
    seconds, cpu = perf_counter() - started, process_time() - cpu
    mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
    return {"what": what, "units": units, "seconds": seconds, "cpu": cpu, "mb": mb}


def session(folder: Path) -> Any:
    """The study as a driver has it."""
    from harness.paths import RunPaths
    from harness.schedule.run import open_study
    from harness.schedule.session import Session
    from harness.train.preflight import prepare as prepare_data

    opened = open_study(folder / "scale.yaml")
    run = RunPaths(folder / "runs", opened.name)
    return Session(
        study=opened, run=run, prepared=prepare_data(opened, run, os.cpu_count() or 1, lambda *_: None), device="cpu"
    )


def prepare(folder: Path) -> tuple[str, int]:
    """Pack the clips and train the one unit that all others are copies of."""
    from harness.train.unit import execute

    made = session(folder)
    brain = made.brain()
    unit = next(unit for unit in brain.units.values() if unit.phase == "confirm")
    execute(made.task(unit), lambda event: None)
    made.run.unit(unit.trial.trial_id).folder.rename(folder / "template")
    return "preparing: packing, one training", 1


def finish(folder: Path, share: float) -> tuple[str, int]:
    """Put a copy in the place of every unit up to a share of the study."""
    from harness.schedule.progress import total_of

    made = session(folder)
    brain = made.brain()
    wanted = share * total_of(made.study).units
    finished = len(brain.recognised)
    while finished < wanted and (unit := brain.next()):
        copy(folder / "template", made.run.unit(unit.trial.trial_id))
        brain.finished(unit)
        finished += 1
    (folder / "finished").write_text(str(finished))
    return f"fabricating {share:.0%} of the trainings", finished


def copy(template: Path, target: Any) -> None:
    """The template under another trial's id: its large files linked, its epochs and its record made anew."""
    from harness.tables import schema, store
    from harness.train.record import sha256, signed

    target.folder.mkdir()
    for file in template.iterdir():
        if file.name not in {"epochs.parquet", "record.json"}:
            os.link(file, target.folder / file.name)
    epochs = store.read(template / "epochs.parquet", schema.EPOCHS).assign(trial_id=target.folder.name)
    store.write(epochs, schema.EPOCHS, target.epochs)
    record = json.loads((template / "record.json").read_text())
    record["files"]["epochs.parquet"] = {"bytes": target.epochs.stat().st_size, "sha256": sha256(target.epochs)}
    store.write_text(json.dumps(signed({**record, "trial_id": target.folder.name})), target.record)


def plan(folder: Path) -> tuple[str, int]:
    """What ``dferbench plan`` does."""
    from io import StringIO

    from rich.console import Console

    from harness.schedule.forecasting.forecast import forecast

    text = StringIO()
    forecast(folder / "scale.yaml", folder / "runs", 0, Console(file=text, width=200))
    return "plan", int(text.getvalue().partition(" trials, ")[0].split()[-1])


def resume(folder: Path) -> tuple[str, int]:
    """The state machine on what storage holds."""
    brain, finished = session(folder).brain(), int((folder / "finished").read_text())
    if len(brain.recognised) != finished:
        sys.exit(f"{len(brain.recognised)} trainings were recognised of {finished} finished ones")
    return f"resume, {len(brain.recognised):,} found finished", len(brain.units)


def tables(folder: Path) -> tuple[str, int]:
    """The study's tables."""
    made = session(folder)
    brain = made.brain()
    started = perf_counter()
    made.write_tables(brain)
    return f"resume and tables, of which tables {perf_counter() - started:.1f} s", len(brain.units)


if __name__ == "__main__":
    sys.exit(main())
