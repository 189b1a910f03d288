"""Metrics that no other section shows, those that were added among them: means without intervals."""

from typing import NamedTuple

import pandas as pd

from harness.report.leaderboard import METRICS_SHOWN
from harness.report.sections.calibration import SHOWN, ranked_means
from harness.report.sections.robustness import DOWN, UP
from harness.report.study_results import StudyResults
from harness.spec.trial import CLEAN
from harness.stats.score import RECALL, SUFFIX, TEMPERATURE, known_metrics

ELSEWHERE = frozenset({*METRICS_SHOWN, *SHOWN, RECALL, TEMPERATURE})


class OtherMetric(NamedTuple):
    """A metric, which way is better, and its mean on clean clips over folds and seeds by method, None if unknown."""

    title: str
    better: str
    values: list[float | None]


def other_metrics(results: StudyResults, metrics: pd.DataFrame) -> list[OtherMetric]:
    """Every metric of the METRICS table that no other section shows, by name."""
    known = known_metrics()
    names = sorted(set(metrics["metric"]) - ELSEWHERE - {f"{name}{SUFFIX}" for name in known})
    means = ranked_means(results, metrics, names)
    return [
        OtherMetric(
            known[name].title,
            UP if known[name].higher_is_better else DOWN,
            [means.get((method, name, CLEAN, 0.0)) for method in results.outcomes.methods],
        )
        for name in names
        if name in known
    ]
