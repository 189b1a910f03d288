"""Unweighted average recall: the mean of the classes' recalls."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import require_clips


def unweighted_average_recall(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean recall over the classes that occur in the labels."""
    require_clips(labels)
    hits = np.bincount(labels, weights=logits.argmax(axis=1) == labels)
    clips = np.bincount(labels)
    return float(np.mean(hits[clips > 0] / clips[clips > 0]))


uar = Metric(
    title="UAR",
    source="Schuller et al., Interspeech 2009 (Emotion Challenge): unweighted average recall",
    higher_is_better=True,
    compute=unweighted_average_recall,
)
