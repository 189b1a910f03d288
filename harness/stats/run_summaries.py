"""Summaries of a runs x tasks matrix, for methods trained separately on several data sets.

One row is one training per task. Perturbations of the same trained network are not tasks: they share clips and weights,
and intervals that resample them apart are several times too narrow.
"""

import numpy as np
from jaxtyping import Float


def interquartile_mean(scores: Float[np.ndarray, "r t"]) -> float:
    """The mean of the middle half of all scores (Agarwal et al., NeurIPS 2021, section 4.3): a 25 % trimmed mean."""
    ordered = np.sort(scores, axis=None)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def probability_of_improvement(first: Float[np.ndarray, "r t"], second: Float[np.ndarray, "s t"]) -> float:
    """How likely a run of the first beats a run of the second on a task, ties counting half (Agarwal et al. 2021)."""
    wins = first[:, None] > second[None]
    ties = first[:, None] == second[None]
    return float(np.mean(wins + 0.5 * ties))


def performance_profile(
    scores: Float[np.ndarray, "r t"], thresholds: Float[np.ndarray, " x"]
) -> Float[np.ndarray, " x"]:
    """The share of runs and tasks that score above each threshold (Dolan & More 2002; Agarwal et al. 2021)."""
    return np.asarray((scores[..., None] > thresholds).mean(axis=(0, 1)))


def optimality_gap(scores: Float[np.ndarray, "r t"], goal: float = 1.0) -> float:
    """How far scores stay below a goal on average; scores above it do not make up for others (Agarwal et al. 2021)."""
    return float(np.maximum(goal - scores, 0).mean())
