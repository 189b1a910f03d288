"""A leaderboard entry: a folder with one method's predictions and a manifest, which is itself a small runs folder."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import __version__
from harness.errors import HarnessError, unknown
from harness.paths import RunPaths, UnitPaths
from harness.report.augmentations import declared
from harness.report.declarations import DECLARED, MANIFEST, SELECTION
from harness.report.findings import analyse
from harness.report.study_results import read_results
from harness.stats.kept_metrics import is_kept
from harness.tables.content import sha256
from harness.tables.schema import TRIALS
from harness.tables.store import write, write_text

FORMAT = 1
CLAIMED = ("uar_clean", "war_clean", "uar_perturbed", "war_perturbed")


def export_entry(
    run: RunPaths, method: str, folder: Path, training_augmentations: Sequence[str] = (), contact: str = ""
) -> Path:
    """Write a method's entry: manifest, descriptions of data and suite, trials, predictions and fingerprints.

    Test predictions are what is ranked; validation predictions give the temperature, predictions of other epochs the
    audit of the selection, and fingerprints show that the clips were perturbed as everyone's were.

    Args:
        run: the finished study.
        method: the method to enter.
        folder: must not exist yet.
        training_augmentations: done to training clips beyond what the study file itself says, which is always listed.
        contact: who answers for the entry.

    Raises:
        HarnessError: if the folder exists or the method has no finished trial.
    """
    if folder.exists():
        raise HarnessError(f"{folder} exists already; an entry is never written over another one.")
    results = read_results(run)
    if method not in results.outcomes.methods:
        raise unknown("method", method, results.outcomes.methods)
    target = RunPaths(folder, run.study)
    own = results.confirmed[results.confirmed["method"] == method]
    write(own, TRIALS, target.table("trials"))
    for trial_id in sorted(set(own["trial_id"])):
        for path in entered_files(results.units[trial_id], results.suite.version):
            _copy(path, target.unit(trial_id).folder / path.name)
    for source, copy in ((run.dataset_file, target.dataset_file), (run.suite_file, target.suite_file)):
        _copy(source, copy)
    _copy(run.study_file, target.study_file)
    row = analyse(read_results(target), replicates=2).leaderboard.to_dict("records")[0]
    manifest = {
        "format": FORMAT,
        "method": method,
        "study": run.study,
        "dataset": results.dataset["name"],
        "dataset_fingerprint": results.dataset["fingerprint"],
        "suite_version": results.suite.version,
        DECLARED: list(dict.fromkeys((*declared(results)[method], *training_augmentations))),
        SELECTION: "validation",
        "contact": contact,
        "dferbench": __version__,
        "claims": {name: float(row[name]) for name in CLAIMED if name in row},
        "files": file_digests(folder),
    }
    write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", folder / MANIFEST)
    return folder


def entered_files(unit: UnitPaths, suite_version: str) -> list[Path]:
    """What of a trial's folder belongs into an entry, as far as it is there."""
    alone = (unit.predictions("val"), unit.audit_val_predictions, unit.audit)
    tested = [*unit.test_predictions(suite_version), *unit.audit_predictions(suite_version)]
    return [*tested, *unit.fingerprints(suite_version), *(path for path in alone if path.exists())]


def run_or_entry(folder: Path) -> RunPaths:
    """The run that a folder is: a study's folder, for example ``runs/quickstart``, or an entry's.

    An entry holds its trials itself, a study's trials lie beside its folder.
    """
    absolute = folder.absolute()
    if (absolute / "units").is_dir() and (absolute / MANIFEST).exists():
        return RunPaths(absolute, str(read_manifest(absolute).get("study", "")))
    return RunPaths(absolute.parent, absolute.name)


def read_manifest(folder: Path) -> dict[str, Any]:
    """An entry's manifest.

    Raises:
        HarnessError: if it is missing or not JSON.
    """
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HarnessError(f"{folder} has no {MANIFEST}, so it is no leaderboard entry.") from None
    except json.JSONDecodeError as error:
        raise HarnessError(f"{path} is not JSON ({error}).") from error
    return manifest


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of an entry but its manifest and what is computed from them, by path within it."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and not is_kept(path)
    }


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
