"""Many comparisons at once: p-values and intervals that hold for a declared family of them."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from harness.stats.interval import CONFIDENCE

ROUNDING = 1e-12
"""Differences that are or vary by less do so by the rounding of sums alone."""


class Simultaneous(NamedTuple):
    """Differences with intervals that hold together, and p-values adjusted for the family."""

    low: Float[np.ndarray, " p"]
    high: Float[np.ndarray, " p"]
    p_value: Float[np.ndarray, " p"]


def max_t(observed: Float[np.ndarray, " p"], replicates: Float[np.ndarray, "b p"]) -> Simultaneous:
    """Single-step max-t over bootstrap replicates of all differences of a family (Westfall & Young 1993, chapter 2).

    The correlation between comparisons is used, so that it loses less power than Bonferroni's or Holm's bound. A
    difference that never varies is compared with zero itself.
    """
    error = replicates.std(axis=0, ddof=1)
    fixed = error < ROUNDING
    scale = np.where(fixed, np.inf, error)
    largest = np.abs((replicates - observed) / scale).max(axis=1, initial=0.0)
    half = np.quantile(largest, CONFIDENCE) * error
    statistic = np.abs(observed) / scale
    exceed = (1 + (largest[:, None] >= statistic).sum(axis=0)) / (1 + len(largest))
    return Simultaneous(observed - half, observed + half, np.where(fixed, _none(observed), exceed))


def bootstrap_p(observed: Float[np.ndarray, " p"], replicates: Float[np.ndarray, "b p"]) -> Float[np.ndarray, " p"]:
    """Two-sided p-value of each difference alone: how often a replicate is as far from the observed as that is from 0.

    Unadjusted (Davison & Hinkley 1997, section 4.4); a difference that never varies is compared with zero itself.
    """
    far = (np.abs(replicates - observed) >= np.abs(observed)).sum(axis=0)
    fixed = replicates.std(axis=0) < ROUNDING
    p_values: Float[np.ndarray, " p"] = np.where(fixed, _none(observed), (1 + far) / (1 + len(replicates)))
    return p_values


def _none(observed: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
    """The p-value of a difference that never varies: one where it is none, zero otherwise."""
    return np.where(np.abs(observed) < ROUNDING, 1.0, 0.0)


def holm(p_values: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
    """Step-down adjusted p-values (Holm, Scandinavian Journal of Statistics 1979)."""
    return _step_down(p_values, len(p_values) - np.arange(len(p_values)))


def shaffer(p_values: Float[np.ndarray, " p"], num_methods: int) -> Float[np.ndarray, " p"]:
    """Step-down adjusted p-values of all pairs of methods (Shaffer, JASA 1986, static procedure).

    Raises:
        ValueError: if there is not one p-value per pair.
    """
    if len(p_values) != num_methods * (num_methods - 1) // 2:
        raise ValueError(
            f"{num_methods} methods have {num_methods * (num_methods - 1) // 2} pairs, not {len(p_values)}"
        )
    return _step_down(p_values, shaffer_factors(num_methods))


def shaffer_factors(num_methods: int) -> Int[np.ndarray, " p"]:
    """For each step, the most pairwise hypotheses that can be true together with at most so many left."""
    pairs = num_methods * (num_methods - 1) // 2
    counts = sorted(_true_together(num_methods))
    return np.array([max(count for count in counts if count <= pairs - step) for step in range(pairs)])


def false_discovery(p_values: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
    """Benjamini & Hochberg's adjusted p-values (JRSS B 1995), for exploratory tables of conditions or classes."""
    order = np.argsort(p_values, kind="stable")
    stepped = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(stepped[::-1])[::-1])
    return adjusted


def _step_down(p_values: Float[np.ndarray, " p"], factors: Int[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


@cache
def _true_together(num_methods: int) -> frozenset[int]:
    """How many pairs can be equal when the methods fall into groups of equals (Shaffer 1986, recursion)."""
    if num_methods <= 1:
        return frozenset({0})
    return frozenset(
        size * (size - 1) // 2 + rest
        for size in range(1, num_methods + 1)
        for rest in _true_together(num_methods - size)
    )
