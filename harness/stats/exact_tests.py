"""Tests that hold for any number of folds or clips, with the smallest p-value that they can give at all."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binom, rankdata
from scipy.stats import wilcoxon as scipy_wilcoxon

from harness.seeds import derive

DECIMALS = 10
"""Differences are rounded before they are ranked, so that floating-point noise makes no ties and breaks none."""

MAX_PAIRS = 60
"""Up to this many pairs the exact distribution fits into whole numbers of double precision."""


MAX_ENUMERATED = 16
"""Up to this many differences all sign patterns are enumerated."""

DRAWN_PATTERNS = 50_000


class ExactTest(NamedTuple):
    """A statistic, its two-sided p-value, and the smallest p-value attainable with so many pairs."""

    statistic: float
    p_value: float
    floor: float


class McNemar(NamedTuple):
    """Two fixed networks on the same clips: clips that only the first or only the second names rightly."""

    only_first: int
    only_second: int
    p_value: float
    mid_p_value: float


def wilcoxon(differences: Float[np.ndarray, " n"]) -> ExactTest:
    """The signed-rank test, exact with ties; zeros keep their ranks and are split between the signs.

    Wilcoxon, Biometrics Bulletin 1945; zeros as in Demsar, JMLR 2006, section 3.1.3. The statistic is the smaller rank
    sum.

    With more than 60 pairs the normal approximation with its corrections for ties and continuity is used.

    Raises:
        ValueError: for no difference.
    """
    rounded = _checked(differences)
    if len(rounded) > MAX_PAIRS:
        found = scipy_wilcoxon(rounded, zero_method="zsplit", correction=True, method="approx", axis=None)
        return ExactTest(float(found.statistic), float(found.pvalue), attainable_floor(len(rounded)))
    ranks = rankdata(np.abs(rounded))
    positive, negative = ranks[rounded > 0].sum(), ranks[rounded < 0].sum()
    split = ranks[rounded == 0].sum() / 2
    weights = np.rint(2 * ranks[rounded != 0]).astype(np.int64)
    p_value = _two_sided(weights, int(np.rint(2 * positive)))
    return ExactTest(float(min(positive, negative) + split), p_value, attainable_floor(len(rounded)))


def sign_flip(differences: Float[np.ndarray, " n"]) -> ExactTest:
    """The permutation test of the mean over all 2^n patterns of signs (Fisher 1935; Ernst, Statistical Science 2004).

    With more than 16 differences, 50,000 patterns are drawn instead; the observed one counts as drawn, so the p-value
    is valid and at least 1 / 50,001 (Phipson & Smyth, SAGMB 2010).

    Raises:
        ValueError: for no difference.
    """
    rounded = _checked(differences)
    count, drawn = len(rounded), len(rounded) > MAX_ENUMERATED
    if drawn:
        signs = 2 * np.random.default_rng(derive("sign flips", count)).integers(2, size=(DRAWN_PATTERNS, count)) - 1
    else:
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
    far = np.abs(signs @ rounded) / count >= abs(float(rounded.mean())) - 10.0**-DECIMALS
    p_value = float((1 + far.sum()) / (1 + len(far))) if drawn else float(far.mean())
    return ExactTest(float(rounded.mean()), p_value, attainable_floor(len(rounded)))


def attainable_floor(pairs: int) -> float:
    """The smallest two-sided p-value of an exact sign-based test: 2 / 2^n, which is .0625 for five folds."""
    return min(1.0, 2.0 ** (1 - pairs))


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """McNemar's test, exact and mid-p (McNemar, Psychometrika 1947; Fagerland et al., BMC Med. Res. Meth. 2013).

    It compares two networks with these weights on these clips; it says nothing of another training. Without a clip on
    which they differ both p-values are 1.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    exact = min(1.0, 2 * float(binom.cdf(fewer, total, 0.5)))
    point = float(binom.pmf(fewer, total, 0.5))
    mid = 1.0 if only_first == only_second else 2 * float(binom.cdf(fewer, total, 0.5)) - point
    return McNemar(only_first, only_second, exact, mid)


def _checked(differences: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    if len(differences) == 0:
        raise ValueError("there is no difference to test")
    return np.round(np.asarray(differences, dtype=np.float64), DECIMALS)


def _two_sided(weights: Int[np.ndarray, " n"], observed: int) -> float:
    """Twice the smaller tail of the sum of the weights that get a positive sign, each with probability one half."""
    counts = np.ones(1)
    for weight in weights:
        grown = np.zeros(len(counts) + weight)
        grown[: len(counts)] += counts
        grown[weight:] += counts
        counts = grown / 2
    lower, upper = counts[: observed + 1].sum(), counts[observed:].sum()
    return float(min(1.0, 2 * min(lower, upper)))
