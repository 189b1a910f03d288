"""Comparing two methods on the folds of one data set, whose training sets overlap."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from harness.stats.interval import CONFIDENCE

MIN_FOLDS = 3
"""Below this many folds the spread of a difference is not estimated well enough to be of use."""


class CorrectedTest(NamedTuple):
    """The mean difference with its 95 % interval, its t statistic, degrees of freedom and two-sided p-value."""

    mean: float
    low: float
    high: float
    statistic: float
    df: int
    p_value: float


class Posterior(NamedTuple):
    """The chances that the difference is below, within and above the region of practical equivalence."""

    worse: float
    equivalent: float
    better: float


def nadeau_bengio(differences: Float[np.ndarray, " j"], test_to_train: float) -> CorrectedTest:
    """The corrected resampled t test (Nadeau & Bengio, Machine Learning 2003, section 3).

    Args:
        differences: one per fold (means over seeds), or one per fold of repeated cross-validation.
        test_to_train: clips in a test fold over clips in its training folds; 1 / (K - 1) for K equal folds.

    Raises:
        ValueError: for fewer than three differences.
    """
    count, mean = _checked(differences), float(np.mean(differences))
    error = _standard_error(differences, test_to_train)
    half = float(student.ppf((1 + CONFIDENCE) / 2, count - 1)) * error
    statistic = mean / error if error > 0 else np.inf * np.sign(mean) if mean else 0.0
    p_value = float(2 * student.sf(abs(statistic), count - 1))
    return CorrectedTest(mean, mean - half, mean + half, float(statistic), count - 1, p_value)


def bayesian_correlated_t(differences: Float[np.ndarray, " j"], test_to_train: float, rope: float) -> Posterior:
    """The Bayesian correlated t test (Benavoli, Corani, Demsar & Zaffalon, JMLR 2017, section 4.1).

    The posterior of the mean difference is Student's t with J - 1 degrees of freedom, the mean of the differences and
    the corrected variance; its correlation rho enters as rho / (1 - rho), which is ``test_to_train``.

    Args:
        differences: one per fold.
        test_to_train: as for ``nadeau_bengio``.
        rope: half-width of the region in which a difference is of no practical interest.
    """
    count, mean = _checked(differences), float(np.mean(differences))
    error = _standard_error(differences, test_to_train)
    if error == 0:
        return Posterior(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    worse = float(student.cdf(-rope, count - 1, mean, error))
    better = float(student.sf(rope, count - 1, mean, error))
    return Posterior(worse, 1 - worse - better, better)


def _checked(differences: Float[np.ndarray, " j"]) -> int:
    if len(differences) < MIN_FOLDS:
        raise ValueError(f"{len(differences)} folds are too few; {MIN_FOLDS} are needed")
    return len(differences)


def _standard_error(differences: Float[np.ndarray, " j"], test_to_train: float) -> float:
    variance = np.var(differences, ddof=1)
    return float(np.sqrt(variance * (1 / len(differences) + test_to_train)))
