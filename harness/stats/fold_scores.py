"""Scores fold by fold, for tests whose unit is the fold."""

import numpy as np
from jaxtyping import Float

from harness.stats.outcomes import FoldOutcomes, Outcomes


def fold_scores(outcomes: Outcomes, metric: str) -> Float[np.ndarray, "f m c"]:
    """WAR or UAR of every fold, method and condition; the mean over seeds and repeats."""
    return np.stack([_scores_of(fold, outcomes.methods, metric) for fold in outcomes.folds])


def _scores_of(fold: FoldOutcomes, methods: tuple[str, ...], metric: str) -> Float[np.ndarray, "m c"]:
    correct = np.stack([fold.correct[fold.runs_of(method)].mean(axis=(0, 2)) for method in methods])
    if metric == "war":
        return np.asarray(correct.mean(axis=-1))
    recalls = [correct[..., fold.labels == label].mean(axis=-1) for label in np.unique(fold.labels)]
    return np.asarray(np.mean(recalls, axis=0))
