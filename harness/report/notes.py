"""What a reader must know to read the numbers rightly: what they estimate, what intervals cover, what to beware of."""

import numpy as np

from harness.report.design_cautions import design_cautions
from harness.report.study_results import StudyResults
from harness.stats.bootstrap import MIN_SEEDS, Resampling, Scores
from harness.stats.outcomes import Outcomes

MIN_CLASS_CLIPS = 30
"""Below this many test clips a class's recall moves by more than three points with one clip."""

MANY_METHODS = 20
"""Above this many methods on one test set, the largest score is noticeably optimistic (Mollersen & Holsbo 2023)."""


def reading_notes(results: StudyResults, scores: Scores, resampling: Resampling, ranked_by: str) -> list[str]:
    """How the numbers are to be read, for the foot of every leaderboard."""
    outcomes, suite = results.outcomes, results.suite
    families = suite.families()
    test = f"{outcomes.num_clips} test clips of {results.dataset['title']}"
    pooled = f"pooled over {plural(len(outcomes.folds), 'fold')}"
    averaged = "" if outcomes.num_seeds == 1 else f" and averaged over {outcomes.num_seeds} seeds"
    drawn = f"{resampling.replicates} paired bootstrap replicates, stratified by fold and class"
    notes = [
        f"Percent on {test}, {pooled}{averaged}; ranked by {ranked_by}.",
        f"Intervals: 95 %, over {scores.covers}, from {drawn}.",
        f"Methods that share a letter cannot be told apart by their {ranked_by} (all pairs judged together).",
        "Whether two intervals overlap does not decide that: clips are shared, so differences vary less.",
    ]
    if families:
        notes.append(
            f"Perturbed: {plural(sum(map(len, families.values())), 'label-preserving condition')} of suite version "
            f"{suite.version}; families ({', '.join(sorted(families))}) are averaged first."
        )
    if suite.families("order"):
        notes.append("Order destroyed: frames shuffled over time. It measures use of temporal order, not robustness.")
    return notes


def cautions(results: StudyResults) -> list[str]:
    """What could mislead a reader of this study in particular."""
    outcomes = results.outcomes
    return [
        *_run_cautions(results),
        *outcomes.notes,
        *seed_cautions(outcomes),
        *class_cautions(outcomes),
        *collapse_cautions(outcomes),
        *_data_cautions(results),
        *design_cautions(results),
    ]


def seed_cautions(outcomes: Outcomes) -> list[str]:
    """Warnings about how much training variation was seen."""
    notes = []
    if outcomes.num_seeds < MIN_SEEDS:
        notes.append(
            f"{plural(outcomes.num_seeds, 'seed')} per method and fold: the intervals cover the choice of test clips "
            f"only, not what another training would give ({MIN_SEEDS} or more seeds are needed for that)."
        )
    notes.extend(
        f"{method} names the same classes with every seed: is the seed used?"
        for method in outcomes.methods
        if _same_in_every_seed(outcomes, method)
    )
    if len(outcomes.methods) > MANY_METHODS:
        notes.append(f"{len(outcomes.methods)} methods on one test set: the best score among them is biased upwards.")
    return notes


def class_cautions(outcomes: Outcomes) -> list[str]:
    """Warnings about classes with few clips."""
    rare = [
        f"{name} ({count})" for name, count in zip(outcomes.classes, outcomes.class_counts, strict=True)
        if 0 < count < MIN_CLASS_CLIPS
    ]  # fmt: skip
    absent = [name for name, count in zip(outcomes.classes, outcomes.class_counts, strict=True) if count == 0]
    notes = []
    if rare:
        notes.append(
            f"Classes with fewer than {MIN_CLASS_CLIPS} test clips dominate UAR's uncertainty: {', '.join(rare)}."
        )
    if absent:
        notes.append(f"Classes without test clips, left out of UAR: {', '.join(absent)}.")
    return notes


def collapse_cautions(outcomes: Outcomes) -> list[str]:
    """Networks that name one class for every clean clip, a line a method: no resampling can vary their recalls."""
    found: dict[str, list[tuple[str, str]]] = {}
    for fold in outcomes.folds:
        for run, named in zip(fold.runs, fold.predicted[:, outcomes.clean, 0], strict=True):
            if (named == named[0]).all():
                place = f"fold {run.fold}, seed {run.seed}"
                found.setdefault(run.method, []).append((outcomes.classes[named[0]], place))
    return [
        _collapsed(method, found[method], outcomes.num_runs(method)) for method in outcomes.methods if method in found
    ]


def _collapsed(method: str, networks: list[tuple[str, str]], of: int) -> str:
    """Where a method's networks name one class: by fold and seed, unless that is everywhere."""
    classes = " or ".join(sorted({name for name, _ in networks}))
    where = f"{len(networks)} of {plural(of, 'network')}"
    if len(networks) < of:
        where += f" ({'; '.join(place for _, place in networks)})"
    return (
        f"{method} names every clean clip {classes} in {where}: it has learnt nothing there, and intervals of its "
        "score are too narrow."
    )


def collapsed_methods(outcomes: Outcomes) -> set[str]:
    """Methods of which every network names one class for all clean clips."""
    learnt = {
        run.method
        for fold in outcomes.folds
        for run, named in zip(fold.runs, fold.predicted[:, outcomes.clean, 0], strict=True)
        if (named != named[0]).any()
    }
    return set(outcomes.methods) - learnt


def _run_cautions(results: StudyResults) -> list[str]:
    confirm = results.trials[results.trials["phase"] == "confirm"]
    unfinished = confirm[confirm["status"] != "done"]
    return [
        f"{row.method}, fold {row.fold}, seed {row.seed} is {row.status}"
        + (f": {str(row.error).splitlines()[-1]}" if isinstance(row.error, str) and row.error else "")
        + "."
        for row in unfinished.itertuples()
    ]


def _data_cautions(results: StudyResults) -> list[str]:
    excluded = results.dataset.get("excluded", {})
    notes = []
    if excluded:
        notes.append(f"{plural(len(excluded), 'clip')} could not be read and had to be dropped; listed under Data.")
    clips = np.concatenate([fold.clip_ids for fold in results.outcomes.folds])
    if len(set(clips)) < len(clips):
        notes.append(
            f"{plural(len(clips) - len(set(clips)), 'clip')} are tested in more than one fold and count each time."
        )
    return notes


def _same_in_every_seed(outcomes: Outcomes, method: str) -> bool:
    """Whether several seeds agree on every clip of every condition, which training never does."""
    folds = [(fold.predicted, fold.runs_of(method)) for fold in outcomes.folds]
    several = [predicted[own] for predicted, own in folds if len(own) > 1]
    return bool(several) and all(bool((own == own[:1]).all()) for own in several)


def plural(count: int, noun: str) -> str:
    """``1 fold``, ``2 folds``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun.endswith('s') else 's'}"
