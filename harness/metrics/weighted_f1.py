"""Weighted F1: the classes' F1 scores averaged with their clip counts as weights."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import require_clips


def weighted_f1_score(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean of 2 TP / (labelled + predicted), each class weighted by its number of labelled clips."""
    require_clips(labels)
    predicted, num_classes = logits.argmax(axis=1), logits.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=num_classes)
    clips = np.bincount(labels, minlength=num_classes)
    total = clips + np.bincount(predicted, minlength=num_classes)
    return float(np.sum(clips[clips > 0] * 2 * hits[clips > 0] / total[clips > 0]) / len(labels))


weighted_f1 = Metric(
    title="Weighted F1",
    source="Chinchor, MUC-4 1992 (F measure), averaged over classes by support",
    higher_is_better=True,
    compute=weighted_f1_score,
)
