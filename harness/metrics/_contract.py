"""What a metric file exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric as a plugin: ``harness/metrics/war.py`` exports ``war = Metric(...)``.

    ``compute(logits, labels)`` takes ``n k`` floats and ``n`` integers and returns a fraction (or the metric's own
    unit); it raises ValueError when there is nothing to measure, never returns 0 or NaN for it.

    Attributes:
        title: the name people know it by.
        source: paper and equation.
        higher_is_better: direction.
        compute: numpy in, float out.
    """

    title: str
    source: str
    higher_is_better: bool
    compute: Callable[[NDArray[np.floating], NDArray[np.integer]], float]
