"""Weighted average recall: the share of clips named rightly."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import require_clips


def weighted_average_recall(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Accuracy: per-class recalls averaged with the classes' clip counts as weights."""
    require_clips(labels)
    return float(np.mean(logits.argmax(axis=1) == labels))


war = Metric(
    title="WAR",
    source="Schuller et al., IEEE Trans. Affective Computing 2010: weighted average recall, which is accuracy",
    higher_is_better=True,
    compute=weighted_average_recall,
)
