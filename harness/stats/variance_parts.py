"""Where the difference of two methods' scores varies: clips that every training shares, trainings, and the rest."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.stats.outcomes import FoldOutcomes, Outcomes


class VarianceParts(NamedTuple):
    """Variances of the difference of two methods' correctness (1, 0 or -1 on a clip), one training of each.

    Attributes:
        clip: of its expectation over trainings, between clips; no number of seeds makes it smaller.
        seed: of its expectation over clips, between trainings: one training is better than another as a whole.
        rest: of what is left on one clip in one training; it averages out over clips and over seeds.
    """

    clip: float
    seed: float
    rest: float

    @property
    def of_clips(self) -> float:
        """All that varies from clip to clip of one pair of trainings."""
        return self.clip + self.rest


def variance_parts(outcomes: Outcomes) -> VarianceParts | None:
    """The parts on clean clips, within folds, mean over folds and pairs of methods; None where no pair has two seeds.

    Clips crossed with seeds are a two-way layout without replication, whose mean squares give each part without the
    others' noise (Searle, Casella & McCulloch, Variance Components 1992, section 4.3). An estimate below zero is 0.
    """
    layouts = [
        _difference(fold, one, other, outcomes.clean)
        for fold in outcomes.folds
        for one, other in combinations(outcomes.methods, 2)
    ]
    parts = [_parts(layout) for layout in layouts if min(layout.shape) > 1]
    return _mean_parts(parts) if parts else None


def _mean_parts(parts: Sequence[VarianceParts]) -> VarianceParts:
    """The mean, at least 0: to cut off single estimates below 0 would make it too large."""
    return VarianceParts(*(max(float(one), 0.0) for one in np.mean(parts, axis=0)))


def _difference(fold: FoldOutcomes, one: str, other: str, clean: int) -> Float[np.ndarray, "s n"]:
    """The difference of correctness, seed by seed: what two trainings of one seed have in common cancels."""
    right, wrong = (fold.correct[fold.runs_of(method), clean, 0].astype(np.float64) for method in (one, other))
    seeds = min(len(right), len(wrong))
    return np.asarray(right[:seeds] - wrong[:seeds])


def _parts(differences: Float[np.ndarray, "s n"]) -> VarianceParts:
    seeds, clips = differences.shape
    by_seed, by_clip = differences.mean(axis=1), differences.mean(axis=0)
    left = differences - by_seed[:, None] - by_clip + differences.mean()
    rest = float((left**2).sum() / ((seeds - 1) * (clips - 1)))
    return VarianceParts(
        clip=float(by_clip.var(ddof=1)) - rest / seeds, seed=float(by_seed.var(ddof=1)) - rest / clips, rest=rest
    )
