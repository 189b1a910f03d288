"""``dferbench validate``: whether an entry is complete, unaltered, comparable, and says what its predictions say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.errors import CollectedError
from harness.paths import RunPaths
from harness.report.augmentations import overlap, unknown_augmentations
from harness.report.declarations import DECLARED, HONEST
from harness.report.entry import FORMAT, file_digests, read_manifest
from harness.report.findings import analyse
from harness.report.fingerprint_check import Compared, compare_fingerprints, missing_fingerprints
from harness.report.study_results import StudyResults, read_results
from harness.spec.trial import CLEAN_CONDITION
from harness.stats.gather import RunOutcomes
from harness.stats.kept_metrics import forget_kept
from harness.stats.logits import read_predictions

REQUIRED = {
    "format": int,
    "method": str,
    "study": str,
    "dataset_fingerprint": str,
    "suite_version": str,
    "training_augmentations": list,
    "selection": str,
    "claims": dict,
    "files": dict,
}
TOLERANCE = 1e-6
"""How far a claimed score may be from the recomputed one: rounding in a text file, nothing else."""


class Validation(NamedTuple):
    """A sound entry: what to know about it, and the scores recomputed from its predictions."""

    warnings: tuple[str, ...]
    scores: dict[str, float]


def validate(folder: Path, reference: RunPaths | None = None) -> Validation:
    """Check an entry, and against a reference run if one is given: the same clips, labels and conditions.

    Scores that lie beside the predictions are no part of an entry; they are deleted, and made anew when it is merged.

    Raises:
        CollectedError: naming everything that is broken or missing.
        HarnessError: if the folder is no entry at all.
    """
    manifest = read_manifest(folder)
    _stop_if("is no valid entry", folder, list(_manifest_problems(manifest)))
    _stop_if("was altered or is incomplete", folder, list(_file_problems(folder, manifest)))
    forget_kept(folder)
    results = read_results(RunPaths(folder, manifest["study"]))
    problems = [*_identity_problems(manifest, results), *_coverage_problems(results), *_logit_problems(results)]
    compared = Compared((), ())
    if reference is not None:
        expected = read_results(reference)
        problems += _reference_problems(results, expected)
        compared = compare_fingerprints(results, expected)
    _stop_if("cannot be entered", folder, [*problems, *compared.problems])
    row = analyse(results, replicates=2).leaderboard.iloc[0]
    scores = {name: float(row[name]) for name in manifest["claims"] if name in row}
    _stop_if("claims what its predictions do not give", folder, list(_claim_problems(manifest["claims"], scores)))
    warnings = [*_overlaps(manifest, results), *_selection_warnings(manifest), *compared.warnings]
    return Validation((*warnings, *missing_fingerprints(results)), scores)


def _stop_if(what: str, folder: Path, problems: list[str]) -> None:
    if problems:
        raise CollectedError(f"{folder} {what}:", problems)


def _manifest_problems(manifest: dict[str, Any]) -> Iterator[str]:
    for key, kind in REQUIRED.items():
        if key not in manifest:
            yield f"manifest.json lacks '{key}'"
        elif not isinstance(manifest[key], kind):
            yield f"manifest.json: '{key}' must be a {kind.__name__}, not {manifest[key]!r}"
    if manifest.get("format", FORMAT) != FORMAT:
        yield f"manifest.json has format {manifest['format']}, this dferbench reads {FORMAT}"


def _file_problems(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    found, listed = file_digests(folder), manifest["files"]
    yield from (f"{name} is missing" for name in sorted(set(listed) - set(found)))
    yield from (f"{name} is not listed in the manifest" for name in sorted(set(found) - set(listed)))
    for name in sorted(set(found) & set(listed)):
        if found[name] != listed[name]:
            yield f"{name} is not the file that was listed: its SHA-256 differs"


def _identity_problems(manifest: dict[str, Any], results: StudyResults) -> Iterator[str]:
    if results.outcomes.methods != (manifest["method"],):
        yield f"holds predictions of {', '.join(results.outcomes.methods)}, not of {manifest['method']} alone"
    if manifest["dataset_fingerprint"] != results.dataset["fingerprint"]:
        yield "dataset.json has another fingerprint than the manifest"
    if manifest["suite_version"] != results.suite.version:
        yield f"suite.json has version {results.suite.version}, the manifest {manifest['suite_version']}"


def _coverage_problems(results: StudyResults) -> Iterator[str]:
    folds = {entry.run.fold for entry in results.runs}
    yield from (f"fold {fold} has no predictions" for fold in sorted(set(results.dataset["folds"]) - folds))
    wanted = [CLEAN_CONDITION, *results.suite.by_condition]
    for entry in results.runs:
        missing = [condition.label for condition in wanted if (condition, 0) not in entry.cells]
        if missing:
            yield f"{_name(entry)} was not tested under {', '.join(missing)}"
        clips = {tuple(named.clip_ids) for named in entry.cells.values()}
        if len(clips) > 1:
            yield f"{_name(entry)} was tested on different clips under different conditions"


def _logit_problems(results: StudyResults) -> Iterator[str]:
    for trial_id in sorted({entry.run.trial_id for entry in results.runs}):
        for path in results.run.unit(trial_id).test_predictions(results.suite.version):
            broken = ~np.isfinite(read_predictions(path, len(results.dataset["classes"])).logits).all(axis=1)
            if broken.any():
                yield f"{path.name} of trial {trial_id} has {int(broken.sum())} rows whose logits are not finite"


def _reference_problems(results: StudyResults, reference: StudyResults) -> list[str]:
    if results.dataset["fingerprint"] != reference.dataset["fingerprint"]:
        return [f"data set {results.dataset['fingerprint']}, the reference has {reference.dataset['fingerprint']}"]
    if results.suite.version != reference.suite.version:
        return [f"suite version {results.suite.version}, the reference has {reference.suite.version}"]
    clips = {entry.run.fold: entry.cells[CLEAN_CONDITION, 0] for entry in reference.runs}
    problems = []
    for entry in results.runs:
        own, theirs = entry.cells[CLEAN_CONDITION, 0], clips.get(entry.run.fold)
        if theirs is None:
            problems.append(f"{_name(entry)}: the reference has no such fold")
        elif not np.array_equal(own.clip_ids, theirs.clip_ids):
            lost, extra = set(theirs.clip_ids) - set(own.clip_ids), set(own.clip_ids) - set(theirs.clip_ids)
            problems.append(
                f"{_name(entry)}: {len(lost)} clips of the reference are missing, {len(extra)} are not in it"
            )
        elif not np.array_equal(own.labels, theirs.labels):
            problems.append(f"{_name(entry)}: labels differ from the reference's")
    return problems


def _claim_problems(claims: dict[str, float], scores: dict[str, float]) -> Iterator[str]:
    for name, claimed in claims.items():
        if name not in scores:
            yield f"'{name}' cannot be recomputed from these predictions"
        elif abs(claimed - scores[name]) > TOLERANCE:
            yield f"'{name}' is claimed as {claimed:.6f} and recomputed as {scores[name]:.6f}"


def _overlaps(manifest: dict[str, Any], results: StudyResults) -> Iterator[str]:
    """Training augmentations that resemble test perturbations, and those of which that cannot be said."""
    names = [str(name) for name in manifest[DECLARED]]
    for name, alike in overlap(names, results.suite).items():
        yield f"trained with '{name}', which resembles the test perturbations {', '.join(alike)}"
    for name in unknown_augmentations(names, results.suite):
        yield f"training augmentation '{name}' is not known; compare it with the test perturbations yourself"


def _selection_warnings(manifest: dict[str, Any]) -> Iterator[str]:
    if manifest["selection"] not in HONEST:
        yield f"the epoch was selected on '{manifest['selection']}'; only validation clips make a score comparable"


def _name(entry: RunOutcomes) -> str:
    return f"fold {entry.run.fold}, seed {entry.run.seed}"
