"""Which classes are recognised and which are taken for which others."""

from typing import NamedTuple

import numpy as np

from harness.stats.outcomes import Outcomes


class ClassRecall(NamedTuple):
    """One class: its test clips, and every method's recall in percent with a 95 % Wilson interval."""

    name: str
    clips: int
    recalls: list[tuple[float, float, float]]


class Confusion(NamedTuple):
    """One method: the share of each class's clips (rows) that are named as each class (columns)."""

    method: str
    rows: list[list[float]]
    counts: list[list[int]]


def class_recalls(outcomes: Outcomes) -> list[ClassRecall]:
    """Recall on clean clips, pooled over folds; several seeds of a clip count as one clip in the interval."""
    matrices = [outcomes.confusion(method, outcomes.clean) for method in outcomes.methods]
    found = []
    for index, name in enumerate(outcomes.classes):
        clips = int(outcomes.class_counts[index])
        if clips:
            recalls = [float(matrix[index, index] / matrix[index].sum()) for matrix in matrices]
            found.append(ClassRecall(name, clips, [wilson(recall, clips) for recall in recalls]))
    return found


def confusions(outcomes: Outcomes) -> list[Confusion]:
    """Every method's confusion matrix on clean clips, summed over folds and seeds."""
    found = []
    for method in outcomes.methods:
        counts = outcomes.confusion(method, outcomes.clean)
        total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        found.append(Confusion(method, (counts / total).tolist(), counts.tolist()))
    return found


def wilson(share: float, clips: int) -> tuple[float, float, float]:
    """A share and its 95 % score interval, as fractions (Wilson, JASA 1927)."""
    z = 1.959963984540054
    center = (share + z * z / (2 * clips)) / (1 + z * z / clips)
    half = z / (1 + z * z / clips) * np.sqrt(share * (1 - share) / clips + z * z / (4 * clips * clips))
    return share, float(max(center - half, 0.0)), float(min(center + half, 1.0))
