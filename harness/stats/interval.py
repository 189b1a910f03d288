"""A number with its interval and what that interval covers."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

CONFIDENCE = 0.95
"""The share of replicates inside every interval."""

DECIMALS = 12
"""Of a limit: beyond them are the rounding errors of sums alone."""


class Interval(NamedTuple):
    """A number, its 95 % interval, the clips it rests on, and the sources of variation that the interval covers."""

    point: float
    low: float
    high: float
    n: int
    covers: str = "clips"


class Band(NamedTuple):
    """Many intervals at once: points and limits of one shape."""

    point: Float[np.ndarray, "*shape"]
    low: Float[np.ndarray, "*shape"]
    high: Float[np.ndarray, "*shape"]


def percentile_band(
    point: Float[np.ndarray, "*shape"], replicates: Float[np.ndarray, "b *shape"], confidence: float = CONFIDENCE
) -> Band:
    """The percentile interval: the middle ``confidence`` of the replicates (Efron & Tibshirani 1993, section 13.3)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0).round(DECIMALS)
    return Band(point, low, high)


def share_band(point: Float[np.ndarray, "*shape"], replicates: Float[np.ndarray, "b *shape"]) -> Band:
    """The percentile interval of shares, whose limits are kept between 0 and 1.

    Replicates of very small strata are stretched for their variance and can fall outside.
    """
    band = percentile_band(point, replicates)
    return Band(point, np.clip(band.low, 0, 1), np.clip(band.high, 0, 1))


def bounded_band(
    point: Float[np.ndarray, "*shape"], replicates: Float[np.ndarray, "b *shape"], bounds: tuple[float, float]
) -> Band:
    """The percentile interval within the bounds of a measure; not a number where the measure is not defined.

    A ratio whose denominator reaches zero in more replicates than an interval leaves out on one side has no bounded
    interval (Fieller, JRSS B 1954); with fewer, those that define it make the interval.
    """
    tail = (1 - CONFIDENCE) / 2
    known = (np.isfinite(replicates).mean(axis=0) >= 1 - tail) & np.isfinite(point)
    low, high = np.nanquantile(np.where(known, replicates, 0.0), [tail, 1 - tail], axis=0).round(DECIMALS)
    return Band(point, *(np.where(known, np.clip(limit, *bounds), np.nan) for limit in (low, high)))
