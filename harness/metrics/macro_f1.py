"""Macro F1: the mean of the classes' F1 scores."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import require_clips


def macro_f1_score(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean of 2 TP / (labelled + predicted) over the classes that occur in the labels or the predictions."""
    require_clips(labels)
    predicted, num_classes = logits.argmax(axis=1), logits.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=num_classes)
    total = np.bincount(labels, minlength=num_classes) + np.bincount(predicted, minlength=num_classes)
    return float(np.mean(2 * hits[total > 0] / total[total > 0]))


macro_f1 = Metric(
    title="Macro F1",
    source="Opitz & Burst 2019 (arXiv:1911.03347), equation 1: the mean of per-class F1",
    higher_is_better=True,
    compute=macro_f1_score,
)
