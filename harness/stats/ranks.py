"""Ranks with their uncertainty: rank intervals, the chance to be first, and letters shared by methods that tie."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from harness.stats.interval import CONFIDENCE
from harness.stats.multiplicity import max_t


class RankInterval(NamedTuple):
    """Per method: the middle 95 % of its ranks over replicates, and the share of replicates in which it is first."""

    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]
    probability_first: Float[np.ndarray, " m"]


def rank_intervals(replicates: Float[np.ndarray, "b m"], confidence: float = CONFIDENCE) -> RankInterval:
    """Rank 1 is the largest score; tied methods share the mean of their ranks, and a tie for first is split."""
    ranks = rankdata(-replicates, axis=1, method="average")
    tail = (1 - confidence) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=0)
    first = replicates == replicates.max(axis=1, keepdims=True)
    return RankInterval(np.floor(low), np.ceil(high), (first / first.sum(axis=1, keepdims=True)).mean(axis=0))


def inseparable(values: Float[np.ndarray, " m"], replicates: Float[np.ndarray, "b m"]) -> Bool[np.ndarray, "m m"]:
    """Which pairs of methods the data cannot tell apart: their max-t interval, over all pairs, holds zero.

    Among equal methods any pair at all is told apart in 5 % of studies only.
    """
    first, second = np.triu_indices(len(values), 1)
    same = np.eye(len(values), dtype=bool)
    if len(first) == 0:
        return same
    together = max_t(values[first] - values[second], replicates[:, first] - replicates[:, second])
    apart = (together.low > 0) | (together.high < 0)
    same[first, second] = same[second, first] = ~apart
    return same


def tie_letters(values: Float[np.ndarray, " m"], same: Bool[np.ndarray, "m m"]) -> list[str]:
    """A compact letter display: methods that share a letter cannot be told apart (Piepho, JCGS 2004).

    One letter per maximal set of mutually inseparable methods, lettered from the best method down.
    """
    order = np.argsort(-values, kind="stable")
    place = np.argsort(order)
    cliques = sorted(_maximal_cliques(same), key=lambda clique: sorted(place[list(clique)].tolist()))
    return [
        "".join(_letter(index) for index, clique in enumerate(cliques) if one in clique) for one in range(len(values))
    ]


def _maximal_cliques(same: Bool[np.ndarray, "m m"]) -> list[frozenset[int]]:
    """Bron & Kerbosch (CACM 1973) with pivoting: all sets of mutually inseparable methods that cannot grow."""
    near = [set(np.flatnonzero(row).tolist()) - {index} for index, row in enumerate(same)]
    found: list[frozenset[int]] = []

    def grow(clique: set[int], candidates: set[int], seen: set[int]) -> None:
        if not candidates and not seen:
            found.append(frozenset(clique))
            return
        pivot = max(candidates | seen, key=lambda one: len(near[one] & candidates))
        for one in sorted(candidates - near[pivot]):
            grow(clique | {one}, candidates & near[one], seen & near[one])
            candidates = candidates - {one}
            seen = seen | {one}

    grow(set(), set(range(len(same))), set())
    return found


def _letter(index: int) -> str:
    """a, b, ..., z, aa', ab', ...: an apostrophe ends every letter that takes more than one sign."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    if index < len(alphabet):
        return alphabet[index]
    return f"{alphabet[index // 26 - 1]}{alphabet[index % 26]}'"
