"""Negative log-likelihood of the labels, in nats."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from harness.metrics._contract import Metric
from harness.metrics._probabilities import require_clips


def negative_log_likelihood(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean of -log p(label), in nats; finite for every finite logit."""
    require_clips(labels)
    log_probability = log_softmax(logits.astype(np.float64), axis=1)
    return float(-np.mean(log_probability[np.arange(len(labels)), labels]))


nll = Metric(
    title="NLL",
    source="Good 1952, Rational decisions: the logarithmic score",
    higher_is_better=False,
    compute=negative_log_likelihood,
)
