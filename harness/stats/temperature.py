"""Temperature scaling: one number per trained network, fitted on clips that it neither trained nor is judged on."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.special import softmax

from harness.metrics._probabilities import require_clips

BOUNDS = (0.05, 20.0)
"""Temperatures that are looked at. Logits that name every clip rightly want 0, worthless ones infinity."""


def fit_temperature(logits: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> float:
    """The temperature that minimises the negative log-likelihood of ``logits / temperature``.

    Guo et al., ICML 2017, section 4.2. The likelihood is concave in 1 / temperature, so it has one maximum; where that
    lies outside ``BOUNDS`` the nearer bound is returned. A temperature moves no argmax: WAR and UAR stay as they are.

    Raises:
        ValueError: if there is no clip.
    """
    require_clips(labels)
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    named = shifted[np.arange(len(labels)), labels]

    def slope(inverse: float) -> float:
        """The derivative of the negative log-likelihood by 1 / temperature, which rises with it."""
        return float(np.mean((softmax(inverse * shifted, axis=1) * shifted).sum(axis=1) - named))

    coldest, hottest = BOUNDS
    if slope(1 / hottest) >= 0:
        return hottest
    if slope(1 / coldest) <= 0:
        return coldest
    return float(1 / brentq(slope, 1 / hottest, 1 / coldest))


def cooled(logits: Float[np.ndarray, "n k"], temperature: float) -> Float[np.ndarray, "n k"]:
    """Logits divided by a temperature, in double precision."""
    return logits.astype(np.float64) / temperature
