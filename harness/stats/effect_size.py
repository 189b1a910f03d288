"""Sizes of a difference between two methods that were trained on the same folds. Unpaired sizes are not offered."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from harness.stats.run_summaries import probability_of_improvement

MIN_DIFFERENCES = 2
"""Paired differences from which they have a spread."""


def paired_effect(differences: Float[np.ndarray, " f"]) -> float:
    """Cohen's d_z: the mean of paired differences over their standard deviation (Cohen 1988, section 2.3.5).

    Folds share training clips, so their differences spread too little and d_z over folds comes out too large. It says
    how steady a difference is, and is no d of two independent groups. NaN below ``MIN_DIFFERENCES`` differences, or
    where all are equal.
    """
    if len(differences) < MIN_DIFFERENCES:
        return float("nan")
    spread = float(differences.std(ddof=1))
    return float(differences.mean()) / spread if spread > 0 else float("nan")


def improvement(first: Sequence[Float[np.ndarray, " _r"]], second: Sequence[Float[np.ndarray, " _s"]]) -> float:
    """How likely a training of the first method scores higher than one of the second on the same fold.

    Every seed of one meets every seed of the other; ties count half (Agarwal et al. 2021, with folds for tasks).

    Args:
        first: the scores of a method's trainings, by fold.
        second: those of the other, on the same folds.
    """
    pairs = zip(first, second, strict=True)
    return float(np.mean([probability_of_improvement(one[:, None], other[:, None]) for one, other in pairs]))
