"""Tests of mean ranks over independent blocks. Blocks are data sets: folds and perturbations are not independent."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2, norm, rankdata, studentized_range
from scipy.stats import f as fisher

MIN_BLOCKS = 5
"""Data sets below which mean ranks cannot be compared at all (Demsar, JMLR 2006, section 3.2.2)."""


class RankTest(NamedTuple):
    """Friedman's chi-square with its p-value, and Iman and Davenport's F with its own."""

    chi_square: float
    p_value: float
    f_statistic: float
    f_p_value: float


class PairRanks(NamedTuple):
    """All pairs of methods: difference of mean ranks in standard errors, and the unadjusted two-sided p-value."""

    first: tuple[int, ...]
    second: tuple[int, ...]
    z: Float[np.ndarray, " p"]
    p_value: Float[np.ndarray, " p"]


def mean_ranks(scores: Float[np.ndarray, "blocks m"]) -> Float[np.ndarray, " m"]:
    """Mean rank of each method over blocks; the best of a block has rank 1 and ties share their mean rank.

    Raises:
        ValueError: for fewer than five blocks.
    """
    if len(scores) < MIN_BLOCKS:
        raise ValueError(f"{len(scores)} data sets are too few to compare mean ranks; {MIN_BLOCKS} are needed")
    return np.asarray(rankdata(-scores, axis=1).mean(axis=0))


def friedman(ranks: Float[np.ndarray, " m"], blocks: int, tie_correction: float = 1.0) -> RankTest:
    """Friedman's test and Iman and Davenport's better-behaved form of it (Demsar 2006, section 3.2.2).

    Args:
        ranks: mean rank of each method.
        blocks: independent data sets.
        tie_correction: divides the chi-square; see ``tie_correction``.
    """
    k = len(ranks)
    statistic = 12 * blocks / (k * (k + 1)) * (float(np.sum(ranks**2)) - k * (k + 1) ** 2 / 4) / tie_correction
    remaining = blocks * (k - 1) - statistic
    ratio = (blocks - 1) * statistic / remaining if remaining > 1e-9 else np.inf
    return RankTest(
        chi_square=float(statistic),
        p_value=float(chi2.sf(statistic, k - 1)),
        f_statistic=float(ratio),
        f_p_value=float(fisher.sf(ratio, k - 1, (k - 1) * (blocks - 1))),
    )


def tie_correction(scores: Float[np.ndarray, "blocks m"]) -> float:
    """What Friedman's chi-square is divided by for ties: 1 - sum(t^3 - t) / (N k (k^2 - 1)) over tied groups."""
    blocks, k = len(scores), len(scores[0])
    counts = [np.unique(row, return_counts=True)[1] for row in scores]
    tied = float(sum(np.sum(count**3 - count) for count in counts))
    return 1 - tied / (blocks * k * (k**2 - 1))


def critical_difference(num_methods: int, blocks: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks, all pairs (Demsar 2006, section 3.2.2, table 5)."""
    q = studentized_range.ppf(1 - alpha, num_methods, np.inf) / np.sqrt(2)
    return float(q * _rank_error(num_methods, blocks))


def control_difference(num_methods: int, blocks: int, alpha: float = 0.05) -> float:
    """Bonferroni and Dunn's critical difference of mean ranks against one control."""
    return float(norm.isf(alpha / (2 * (num_methods - 1))) * _rank_error(num_methods, blocks))


def pair_ranks(ranks: Float[np.ndarray, " m"], blocks: int) -> PairRanks:
    """All pairs; adjust the p-values with Holm's or Shaffer's procedure (Garcia & Herrera, JMLR 2008, section 2)."""
    first, second = np.triu_indices(len(ranks), 1)
    z = (ranks[first] - ranks[second]) / _rank_error(len(ranks), blocks)
    return PairRanks(tuple(first.tolist()), tuple(second.tolist()), z, 2 * norm.sf(np.abs(z)))


def _rank_error(num_methods: int, blocks: int) -> float:
    return float(np.sqrt(num_methods * (num_methods + 1) / (6 * blocks)))
