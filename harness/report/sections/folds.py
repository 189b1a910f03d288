"""Scores fold by fold, with the mean and spread that the literature prints."""

from typing import NamedTuple

import numpy as np

from harness.report.leaderboard import METRICS_SHOWN
from harness.stats.fold_scores import fold_scores
from harness.stats.outcomes import Outcomes


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
        scores = fold_scores(outcomes, metric)[:, :, outcomes.clean]
        for index, method in enumerate(outcomes.methods):
            own = scores[:, index].tolist()
            spread = float(np.std(own, ddof=1)) if len(own) > 1 else None
            rows.append(FoldRow(method, title, own, float(np.mean(own)), spread))
    return rows
