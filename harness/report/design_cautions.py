"""Warnings about how a study was designed: what its numbers cannot say however many clips there are."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.report.declarations import HONEST, SELECTION, said_of
from harness.report.fingerprint_check import VIEW
from harness.report.study_results import StudyResults
from harness.stats.fold_scores import fold_scores
from harness.stats.outcomes import FoldOutcomes, Outcomes

POOLING_GAP = 0.005
"""Pooled and fold-averaged UAR that differ by more are both named: half a point, one clip of DFEW's rarest class."""

NAMED = 3
"""Groups that are named; the others are counted."""


def design_cautions(results: StudyResults) -> list[str]:
    """Every warning about runs, folds, selection and search that the study's tables show."""
    outcomes = results.outcomes
    return [
        *_unequal_runs(outcomes),
        *_shared_groups(outcomes),
        *_pooling(outcomes),
        *_selected_on_test(results),
        *_unequal_search(results),
    ]


def condition_caution(scope: str) -> list[str]:
    """What a comparison under perturbation must not be taken for; nothing for clean clips."""
    if scope.startswith("clean"):
        return []
    return [
        "Conditions share clips and networks, so they are no independent trials: each network's are averaged first."
    ]


def view_cautions(parts: Sequence[StudyResults]) -> list[str]:
    """Runs on one board whose networks were shown the clips differently."""
    found = []
    for name in VIEW:
        said = ((part.run.study, (part.study.get("clip") or {}).get(name)) for part in parts)
        values = [(study, value) for study, value in dict.fromkeys(said) if value is not None]
        if len({value for _, value in values}) > 1:
            listed = ", ".join(f"{value} in {study}" for study, value in values)
            found.append(f"Clips were shown differently ({name}: {listed}); part of a difference can come from that.")
    return found


def _unequal_runs(outcomes: Outcomes) -> Iterator[str]:
    """Methods that were trained more often than others: the mean is fair, the intervals are not equally wide."""
    runs = {method: outcomes.num_runs(method) for method in outcomes.methods}
    if len(set(runs.values())) > 1:
        listed = ", ".join(f"{method} {count}" for method, count in runs.items())
        yield f"Methods have different numbers of trainings ({listed}); seeds that only some have are averaged too."


def _shared_groups(outcomes: Outcomes) -> Iterator[str]:
    """Groups tested in several folds: each fold's training clips then hold clips of its test groups."""
    seen: dict[str, set[int]] = {}
    for fold in outcomes.folds:
        for group in _known_groups(fold):
            seen.setdefault(group, set()).add(fold.fold)
    shared = sorted(group for group, folds in seen.items() if len(folds) > 1)
    if shared:
        more = f" and {len(shared) - NAMED} more" if len(shared) > NAMED else ""
        yield (
            f"Groups (identities, films) are tested in several folds, so networks were trained on other clips of them: "
            f"{', '.join(shared[:NAMED])}{more}. Scores on new groups may be lower."
        )


def _known_groups(fold: FoldOutcomes) -> set[str]:
    """The groups of a fold's clips; a clip without one stands for itself and is none."""
    return set(fold.groups[fold.groups != fold.clip_ids].astype(str))


def _pooling(outcomes: Outcomes) -> Iterator[str]:
    """Methods whose UAR depends on whether folds are pooled or averaged."""
    if len(outcomes.folds) == 1:
        return
    averaged = fold_scores(outcomes, "uar")[:, :, outcomes.clean].mean(axis=0)
    for method, mean in zip(outcomes.methods, averaged, strict=True):
        pooled = _pooled_uar(outcomes, method)
        if abs(mean - pooled) > POOLING_GAP:
            yield (
                f"{method}: UAR is {100 * pooled:.1f} over the pooled clips and {100 * mean:.1f} as the mean over "
                "folds, because some folds have few clips of a class. Papers print the latter."
            )


def _pooled_uar(outcomes: Outcomes, method: str) -> float:
    """Mean over classes of the recall over all folds, networks of a fold weighing the same together."""
    hits, clips = np.zeros(len(outcomes.classes)), outcomes.class_counts
    for fold in outcomes.folds:
        right = fold.correct[fold.runs_of(method), outcomes.clean].mean(axis=(0, 1))
        hits += np.bincount(fold.labels, weights=right, minlength=len(outcomes.classes))
    occurs = clips > 0
    return float(np.mean(hits[occurs] / clips[occurs]))


def _selected_on_test(results: StudyResults) -> Iterator[str]:
    """Entries that say themselves that test clips chose the epoch."""
    for method in results.outcomes.methods:
        rule = said_of(results, method, SELECTION, HONEST[0])
        if rule not in HONEST:
            yield f"{method}: the epoch was selected on '{rule}' clips, so its score and its rank are optimistic."


def _unequal_search(results: StudyResults) -> Iterator[str]:
    """Methods whose hyperparameters were searched longer than others'."""
    search = results.trials[results.trials["phase"] == "search"]
    tried = search.groupby("method")["configuration"].nunique()
    counts = {method: int(tried.get(method, 0)) for method in results.outcomes.methods}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{method} {count}" for method, count in counts.items())
        yield f"Methods were searched unequally (configurations tried: {listed}); a longer search alone raises a score."
