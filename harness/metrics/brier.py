"""Brier score of the class probabilities, between 0 and 2."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import probabilities, require_clips


def brier_score(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean over clips of the squared distance between the probabilities and the one-hot label; 0 to 2."""
    require_clips(labels)
    error = probabilities(logits)
    error[np.arange(len(labels)), labels] -= 1
    return float(np.mean(np.sum(error**2, axis=1)))


brier = Metric(
    title="Brier",
    source="Brier, Monthly Weather Review 1950, equation 2 (summed over classes)",
    higher_is_better=False,
    compute=brier_score,
)
