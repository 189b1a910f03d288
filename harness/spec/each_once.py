"""A list in which nothing is said twice."""

from __future__ import annotations

from itertools import pairwise


def each_once(values: tuple[int, ...]) -> tuple[int, ...]:
    """The values.

    Raises:
        ValueError: if one of them is given twice.
    """
    ordered = sorted(values)
    for one, other in pairwise(ordered):
        if one == other:
            raise ValueError(f"{one} is given twice")
    return values
