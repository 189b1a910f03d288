"""Scores fold by fold, for tests whose unit is the fold, and training by training."""

import numpy as np
from jaxtyping import Float

from harness.stats.outcomes import FoldOutcomes, Outcomes


def fold_scores(outcomes: Outcomes, metric: str) -> Float[np.ndarray, "f m c"]:
    """WAR or UAR of every fold, method and condition; the mean over seeds and repeats."""
    return np.stack([_by_method(fold, outcomes.methods, metric) for fold in outcomes.folds])


def run_scores(fold: FoldOutcomes, metric: str) -> Float[np.ndarray, "r c"]:
    """WAR or UAR of every training of a fold and condition; the mean over repeats."""
    correct = fold.correct.mean(axis=2)
    if metric == "war":
        return np.asarray(correct.mean(axis=-1))
    recalls = [correct[..., fold.labels == label].mean(axis=-1) for label in np.unique(fold.labels)]
    return np.asarray(np.mean(recalls, axis=0))


def _by_method(fold: FoldOutcomes, methods: tuple[str, ...], metric: str) -> Float[np.ndarray, "m c"]:
    scores = run_scores(fold, metric)
    return np.stack([scores[fold.runs_of(method)].mean(axis=0) for method in methods])
