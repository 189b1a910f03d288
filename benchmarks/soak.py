"""Faults at random moments of a small study: does it always end with the tables of an undisturbed run?

    OMP_NUM_THREADS=1 python benchmarks/soak.py --faults 60 --seed 0

For every fault the study is started anew on Ray, struck at a moment drawn from the fault's seed, and run again to its
end. Then its tables, predictions and leaderboard must be those of an undisturbed run, byte for byte; no process may
live on, and no temporary file may be left. Faults: SIGKILL of the driver, of a worker and of the raylet, SIGTERM,
SIGINT, ``dferbench stop``, a second driver on the same folder, a damaged file of a finished trial
(``_soak_faults.py``); a full disk, a read-only one, clocks that disagree (``_soak_ground.py``). A line is printed for
each with its seed; ``--only SEED`` strikes one of them again. At the end, for each kind, it says how many struck: a
signal for a driver that has ended, or a kill with nothing to kill any more, is no strike. The script fails if any study
differs.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml
from _soak_faults import DEADLINE_SECONDS, PROCESS_FAULTS, Site, Struck
from _soak_ground import GROUND_FAULTS, ground

from harness.tables import schema, store

FAULTS = PROCESS_FAULTS | GROUND_FAULTS
ORPHAN_SECONDS = 90.0
"""Ray's agents try for a minute to report the death of a raylet whose driver was killed (publish_error in Ray 2.60)."""
LSTM = {"name": "resnet18_lstm", "width": 8, "hidden": 8, "layers": 1}
STUDY = {
    "name": "soak",
    "question": "Does a study end the same whatever happens to it?",
    "dataset": {"name": "synthetic", "size": "tiny"},
    "folds": [1, 2],
    "clip": {"frames": 4, "size": 32, "max_stored_frames": 64, "augment": ["flip"]},
    "training": {"epochs": 2, "batch_size": 16, "warmup_epochs": 0},
    "methods": {
        "searched": {"model": LSTM, "search": {"optimizer.learning_rate": {"log_uniform": [1e-4, 1e-2]}}},
        "written": {"model": {**LSTM, "hidden": 16}},
    },
    "search": {"configurations": 2, "parallel": 1, "epochs": 1},
    "stress": {"perturbations": ["gaussian_noise"], "severities": [3]},
}


def site(parent: Path, name: str) -> Site:
    """A fresh folder with the study in it."""
    made = Site(parent / name)
    made.runs.mkdir(parents=True)
    made.study.write_text(yaml.safe_dump(STUDY, sort_keys=False))
    return made


def whole_run(where: Site, *options: str) -> float:
    """Run the study to its end; seconds that it took.

    Raises:
        RuntimeError: if it fails.
    """
    started = time.monotonic()
    code = where.start("run", "--plain", *options).wait(DEADLINE_SECONDS)
    if code != 0:
        raise RuntimeError(f"the run ended with code {code}: {(where.folder / 'run.log').read_text()[-2000:]}")
    return time.monotonic() - started


def tables(where: Site) -> dict[str, object]:
    """Everything that must not depend on how a study was run."""
    run = where.results
    trials = store.read(run.table("trials"), schema.TRIALS)
    epochs = store.read(run.table("epochs"), schema.EPOCHS)
    kinds = ("predictions-*.parquet", "fingerprints-*.parquet")
    files = [file for unit in trials["trial_id"] for kind in kinds for file in run.unit(unit).folder.glob(kind)]
    return {
        "trials": trials.drop(columns=list(schema.TRIALS.volatile)).to_csv(),
        "epochs": epochs.drop(columns=list(schema.EPOCHS.volatile)).to_csv(),
        "predictions": {(file.parent.name, file.name): file.read_bytes() for file in files},
        "metrics": run.table("metrics").read_bytes(),
        "leaderboard": run.output("leaderboard.md").read_text() + run.output("leaderboard.csv").read_text(),
    }


def kind_of(seed: str, kinds: list[str]) -> str:
    """Which fault a seed is for: kinds take turns."""
    return kinds[int(seed.rpartition("-")[2]) % len(kinds)]


def strike(parent: Path, seed: str, kind: str, seconds: float, wanted: dict[str, object]) -> Struck:
    """One fault, and the run after it: what happened, with ``FAILED`` in it if the study is not as it should be."""
    draw = random.Random(seed)
    moment = draw.uniform(0.0, seconds)
    where = site(parent, f"{seed}-{kind}")
    with ground(kind, where):
        driver = where.start("run", "--plain")
        with contextlib.suppress(subprocess.TimeoutExpired):
            driver.wait(moment)
        struck = FAULTS[kind](where, driver, draw)
        said = f"{seed} {kind} at {moment:.1f} s: {struck.said}{'' if struck.effective else ' (no strike)'}"
        return struck._replace(said=f"{said}: {_aftermath(where, wanted)}")


def _aftermath(where: Site, wanted: dict[str, object]) -> str:
    """Run the study again to its end, and compare."""
    try:
        whole_run(where)
    except RuntimeError as error:
        return f"FAILED: {error}"
    found = tables(where)
    problems = [f"{name} differ" for name in wanted if found[name] != wanted[name]]
    problems += [f"{path} is left" for path in where.runs.rglob(".*.tmp")]
    problems += [f"{path} is left" for path in where.runs.rglob("*.resume.pt")]
    problems += [f"lives on: {process}" for process in orphans(where)]
    return f"FAILED: {'; '.join(problems)}" if problems else "same tables"


def orphans(where: Site) -> list[str]:
    """Processes that have not ended some time after their study, by number and command; they are ended now."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while where.living() and time.monotonic() < deadline:
        time.sleep(0.5)
    left = []
    for pid in where.living():
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            os.kill(pid, signal.SIGKILL)
            left.append(f"{pid} (parent {parent}): {command[:200]}")
    return left


def main() -> int:
    """Run the study undisturbed, then once for each fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=56, help="how many")
    parser.add_argument("--seed", default="0", help="another seed, other moments and victims")
    parser.add_argument("--kinds", default=",".join(FAULTS), help="of which kinds, in turn")
    parser.add_argument("--only", help="strike this one again, as printed: SEED-NUMBER")
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a soak in the background was started to ignore it
    kinds = chosen.kinds.split(",")
    seeds = [chosen.only] if chosen.only else [f"{chosen.seed}-{number}" for number in range(chosen.faults)]
    with tempfile.TemporaryDirectory(prefix="dferbench-soak-") as folder:
        parent = Path(folder)
        local = site(parent, "undisturbed")
        whole_run(local, "--local")
        wanted = tables(local)
        seconds = whole_run(site(parent, "undisturbed-ray"))
        print(f"undisturbed on Ray: {seconds:.1f} s", flush=True)
        asked, effective, failed = Counter[str](), Counter[str](), 0
        for seed in seeds:
            kind = kind_of(seed, kinds)
            struck = strike(parent, seed, kind, seconds, wanted)
            asked[kind] += 1
            effective[kind] += struck.effective
            failed += "FAILED" in struck.said
            print(struck.said, flush=True)
    each = ", ".join(f"{kind} {effective[kind]} of {count}" for kind, count in asked.items())
    print(f"strikes: {effective.total()} ({each})")
    print(f"{len(seeds)} faults, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
