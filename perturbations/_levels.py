"""Perturbations of several magnitudes: one scalar level walks along a table of the others."""

from bisect import bisect_left
from collections.abc import Sequence

ROUNDING = 1e-9
"""How far rounding may put a level outside its table."""


def along(level: int | float, levels: Sequence[int | float], values: Sequence[int | float]) -> float:
    """The entry of ``values`` that belongs to a level, linear between the entries of monotone ``levels``.

    Where two levels are equal, as those of perturbations with a single one are, it is the first one's entry.

    Raises:
        ValueError: for a level outside the table, for which nobody has said what the other magnitude is.

    >>> along(2.5, (1, 2, 3), (10.0, 20.0, 40.0)), along(0.2, (0.4, 0.2, 0.1), (1.0, 2.0, 3.0))
    (30.0, 2.0)
    """
    level = within(level, min(levels), max(levels))
    if levels[0] > levels[-1]:
        level, levels = -level, [-each for each in levels]
    above = min(max(bisect_left(levels, level), 1), len(levels) - 1)
    low, high = levels[above - 1], levels[above]
    share = (level - low) / (high - low) if high > low else 0.0
    return values[above - 1] + share * (values[above] - values[above - 1])


def within(level: int | float, low: int | float, high: int | float) -> int | float:
    """The level itself, if it lies in a range.

    Raises:
        ValueError: if it does not, by more than rounding.

    >>> within(25, 1, 100)
    25
    """
    if not low - ROUNDING <= level <= high + ROUNDING:
        raise ValueError(f"level {level:.4g} is outside {low:.4g}..{high:.4g}, beyond which it means nothing")
    return min(max(level, low), high)
