"""How small a difference of WAR a design can detect, and how many seeds a difference needs."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

SHARED_CLIP_VARIANCE = 0.5
"""The share of clip-level variation that another seed repeats, where a pilot does not measure it.

Between 0 (every training errs on other clips) and 1 (all err on the same); measured near one half on DFEW logs.
"""

METHOD_BY_FOLD_SD = 0.003
"""How much the advantage of a method varies between folds beyond clips and seeds, as a fraction (0.3 points)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What a small study says about the variation of a larger one.

    Attributes:
        num_clips: test clips of all folds together.
        num_folds: folds.
        clip_variance: variance from clip to clip of the difference of two trainings' correctness; for methods of equal
            score, the share of clips that exactly one of them names rightly.
        run_sd: standard deviation between seeds of the WAR that a training has on all clips there could be, as a
            fraction: without the noise of the clips that it happens to be tested on, which ``clip_variance`` holds.
        shared: the share of ``clip_variance`` that another seed repeats.
        method_by_fold_sd: see ``METHOD_BY_FOLD_SD``.
    """

    num_clips: int
    num_folds: int
    clip_variance: float
    run_sd: float
    shared: float = SHARED_CLIP_VARIANCE
    method_by_fold_sd: float = METHOD_BY_FOLD_SD


def standard_error(pilot: Pilot, num_seeds: int | float) -> float:
    """The standard error of a difference of WAR between two methods, each trained ``num_seeds`` times per fold.

    Clips, seeds and the interaction of method and fold vary independently; infinitely many seeds leave the clips.
    """
    clips = pilot.clip_variance * (pilot.shared + (1 - pilot.shared) / num_seeds) / pilot.num_clips
    runs = 2 * pilot.run_sd**2 / (pilot.num_folds * num_seeds)
    folds = 2 * pilot.method_by_fold_sd**2 / pilot.num_folds if pilot.num_folds > 1 else 0.0
    return float(np.sqrt(clips + runs + folds))


def detectable_difference(pilot: Pilot, num_seeds: int | float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true difference that a two-sided test at ``alpha`` finds with probability ``power``, a fraction."""
    return float((norm.isf(alpha / 2) + norm.ppf(power)) * standard_error(pilot, num_seeds))


def seeds_needed(pilot: Pilot, difference: float, most: int = 1000) -> int | None:
    """The fewest seeds per fold that detect a difference; None where even infinitely many would not."""
    if detectable_difference(pilot, np.inf) >= difference:
        return None
    return next((seeds for seeds in range(1, most + 1) if detectable_difference(pilot, seeds) <= difference), None)
