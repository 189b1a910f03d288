"""Scores fold by fold, with the mean and spread that the literature prints."""

from typing import NamedTuple

import numpy as np

from harness.report.leaderboard import METRICS_SHOWN
from harness.stats.outcomes import FoldOutcomes, Outcomes


class FoldRow(NamedTuple):
    """One method and metric: a score per fold (mean over seeds), their mean, and their standard deviation."""

    method: str
    metric: str
    scores: list[float]
    mean: float
    spread: float | None


def fold_rows(outcomes: Outcomes) -> list[FoldRow]:
    """Clean scores by fold. The mean over folds is the literature's figure; the leaderboard pools clips instead."""
    rows = []
    for metric, title in METRICS_SHOWN.items():
        for method in outcomes.methods:
            scores = [fold_score(fold, method, outcomes.clean, metric) for fold in outcomes.folds]
            spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
            rows.append(FoldRow(method, title, scores, float(np.mean(scores)), spread))
    return rows


def fold_score(fold: FoldOutcomes, method: str, condition: int, metric: str) -> float:
    """WAR or UAR of one fold under a condition, averaged over seeds and repeats."""
    correct = fold.correct[fold.runs_of(method), condition].mean(axis=(0, 1))
    if metric == "war":
        return float(correct.mean())
    return float(np.mean([correct[fold.labels == label].mean() for label in np.unique(fold.labels)]))
