"""Annotators' votes as class probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=4096)
def shares_of(votes: tuple[float, ...]) -> tuple[float, ...]:
    """Votes per class as shares that sum to 1; empty where nobody voted. Equal votes give the same object.

    >>> shares_of((6.0, 3.0, 1.0))
    (0.6, 0.3, 0.1)
    >>> shares_of((0.0, 0.0))
    ()

    Raises:
        ValueError: for negative votes.
    """
    if min(votes, default=0) < 0:
        raise ValueError(f"votes must not be negative, but are {votes}")
    total = sum(votes)
    return tuple(count / total for count in votes) if total else ()


def regrouped(distribution: tuple[float, ...], own: Sequence[Sequence[int]]) -> tuple[float, ...]:
    """A distribution over other classes, each the sum of some of the old ones; votes for no class left count for none.

    >>> regrouped((0.5, 0.25, 0.25), [[1], [2]])
    (0.5, 0.5)
    >>> regrouped((), [[1], [0]])
    ()
    """
    if not distribution:
        return ()
    sums = tuple(sum((distribution[old] for old in olds), 0.0) for olds in own)
    return sums if math.isclose(sum(sums), 1) else shares_of(sums)
