"""What calibration metrics share: probabilities from logits, and bins that hold equally many clips."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import softmax

BINS = 15
"""Bins of a reliability diagram (Guo et al., ICML 2017, section 4)."""


def require_clips(labels: Int[np.ndarray, " n"]) -> None:
    """Refuse to measure nothing.

    Raises:
        ValueError: if there is no clip.
    """
    if len(labels) == 0:
        raise ValueError("there is no clip to measure")


def probabilities(logits: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Class probabilities in double precision; rows sum to one."""
    return np.asarray(softmax(logits.astype(np.float64), axis=1))


def bin_members(confidence: Float[np.ndarray, " n"], bins: int = BINS) -> Int[np.ndarray, " n"]:
    """The bin of each clip, equally many to a bin: edges are quantiles, clips of equal confidence share a bin.

    So the order of the clips does not matter (adaptive bins: Nguyen & O'Connor, EMNLP 2015; Nixon et al., CVPR
    workshops 2019).
    """
    inner = np.quantile(confidence, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(np.unique(inner), confidence, side="left"))


def calibration_error(confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"], bins: int = BINS) -> float:
    """Expected calibration error with equal-mass bins: the clip-weighted mean of abs(accuracy - confidence)."""
    gap = np.bincount(bin_members(confidence, bins), weights=correct.astype(np.float64) - confidence)
    return float(np.abs(gap).sum() / len(confidence))
