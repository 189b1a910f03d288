"""Area under the risk-coverage curve: the error rate among the most confident clips, over all coverages."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import probabilities, require_clips


def area_under_risk_coverage(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean over coverages i/n of the error rate among the i most confident clips; 0 to 1, smaller is better.

    Clips of equal confidence are taken in together: each contributes their common error rate, so that the order of
    the clips does not matter.
    """
    require_clips(labels)
    chances = probabilities(logits)
    wrong = (chances.argmax(axis=1) != labels).astype(np.float64)
    _, tie = np.unique(-chances.max(axis=1), return_inverse=True)
    shared = np.bincount(tie, weights=wrong) / np.bincount(tie)
    risk = np.cumsum(shared[np.sort(tie)]) / np.arange(1, len(labels) + 1)
    return float(np.mean(risk))


aurc = Metric(
    title="AURC",
    source="Geifman & El-Yaniv, NeurIPS 2017, section 2",
    higher_is_better=False,
    compute=area_under_risk_coverage,
)
