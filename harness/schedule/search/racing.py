"""When a configuration that loses on its first folds is given up: paired differences to the best complete one."""

from collections.abc import Mapping
from statistics import fmean

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from harness.spec.search import RacingSpec
from harness.stats.exact_tests import wilcoxon

Scores = Mapping[int, float]
"""Validation scores by fold."""


def differences(scores: Scores, incumbent: Scores) -> list[float]:
    """A configuration's score minus the incumbent's on every fold that both have been trained on."""
    return [score - incumbent[fold] for fold, score in scores.items() if fold in incumbent]


def loses(scores: Scores, incumbent: Scores, rule: str, racing: RacingSpec) -> str:
    """Why a configuration is given up; empty if it races on.

    Args:
        scores: of the configuration, on the folds that it has been trained on.
        incumbent: of the best complete configuration.
        rule: ``none``, ``paired`` or ``wilcoxon``.
        racing: margin and level.
    """
    found = differences(scores, incumbent)
    if rule == "none" or not found:
        return ""
    mean = fmean(found)
    if rule == "paired":
        lost = mean < -racing.margin
        return f"{mean:+.4f} on {len(found)} common folds, margin {racing.margin:g}" if lost else ""
    p_value = _one_sided(np.array(found))
    lost = p_value < racing.p_value
    return f"{mean:+.4f} on {len(found)} common folds, Wilcoxon p = {p_value:.3g}" if lost else ""


def estimate(scores: Scores, incumbent: Scores) -> float:
    """What a given-up configuration would have scored on all folds: the incumbent's mean plus the paired difference.

    The mean over its own folds would call easy folds a good configuration.
    """
    return fmean(incumbent.values()) + fmean(differences(scores, incumbent))


def _one_sided(found: Float[np.ndarray, " n"]) -> float:
    """Wilcoxon's p-value for differences below zero; 1 where they lean the other way."""
    leaning = float(np.sign(found) @ rankdata(np.abs(found)))
    return wilcoxon(found).p_value / 2 if leaning < 0 else 1.0
