"""Recall of every class on clean clips, with replicates over the same resampled clips for all methods."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from harness.stats.bootstrap import Resampling, bootstrap
from harness.stats.outcomes import FoldOutcomes, Outcomes


class Recalls(NamedTuple):
    """Recall by method and class; classes without test clips are left out.

    Attributes:
        classes: names of the classes that occur.
        values: methods as rows, classes as columns.
        replicates: the replicate leads.
    """

    classes: tuple[str, ...]
    values: Float[np.ndarray, "m k"]
    replicates: Float[np.ndarray, "b m k"]


def class_recalls(outcomes: Outcomes, resampling: Resampling) -> Recalls:
    """Rightly named clips of each class over all its clips, folds pooled, seeds and repeats averaged.

    Both are counted as shares of all clips in one bootstrap, so that the division is of equally resampled clips.
    """
    occurring = np.flatnonzero(outcomes.class_counts > 0)
    clean = outcomes.clean

    def hits_and_clips(fold: FoldOutcomes) -> Bool[np.ndarray, "r c q n"]:
        of_class = fold.labels == occurring[:, None]
        right = fold.correct[:, [clean]] & of_class[None, :, None]
        return np.concatenate([right, np.broadcast_to(of_class[None, :, None], right.shape)], axis=1)

    counted = bootstrap(outcomes, resampling, hits_and_clips)
    names = tuple(outcomes.classes[index] for index in occurring)
    return Recalls(names, _recall(counted.values["war"]), _recall(counted.replicates["war"]))


def _recall(shares: Float[np.ndarray, "*lead two_k"]) -> Float[np.ndarray, "*lead k"]:
    """The first half of the columns over the second; 0 in a replicate that drew no clip of a class."""
    hits, clips = np.split(shares, 2, axis=-1)
    recall: Float[np.ndarray, "*lead k"] = np.zeros_like(hits)
    np.divide(hits, clips, out=recall, where=clips > 0)
    return recall
