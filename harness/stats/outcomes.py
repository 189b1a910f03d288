"""Which class every run named for every clip under every condition: what all statistics are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Int8

from harness.spec.trial import CLEAN_CONDITION, Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One trained network: a method, the fold it was tested on, and its training seed."""

    method: str
    fold: int
    seed: int
    trial_id: str


@dataclass(frozen=True, kw_only=True)
class FoldOutcomes:
    """The runs of one fold on that fold's test clips.

    Attributes:
        fold: its number.
        runs: the trained networks.
        clip_ids: the clips, sorted.
        groups: each clip's source (identity or film); the clip itself where none is known.
        labels: each clip's class.
        predicted: the class each run named, by condition and repeat of its random draw.
    """

    fold: int
    runs: tuple[Run, ...]
    clip_ids: np.ndarray
    groups: np.ndarray
    labels: Int[np.ndarray, " n"]
    predicted: Int8[np.ndarray, "r c q n"]

    @cached_property
    def correct(self) -> Bool[np.ndarray, "r c q n"]:
        """Whether the named class is the label."""
        return np.asarray(self.predicted == self.labels)

    def runs_of(self, method: str) -> Int[np.ndarray, " s"]:
        """The positions of a method's runs, one per seed."""
        return np.array([index for index, run in enumerate(self.runs) if run.method == method], dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """All runs of all methods on the folds, clips and conditions that they have in common.

    Attributes:
        classes: class names in label order.
        methods: method names, in the study's order.
        conditions: conditions tested by every run; the first is the clean one.
        draws: for each condition, the numbers of the random draws that lie along the third axis of ``predicted``.
        folds: one entry per common fold.
        notes: what had to be left out to make the methods comparable, one sentence each.
    """

    classes: tuple[str, ...]
    methods: tuple[str, ...]
    conditions: tuple[Condition, ...]
    folds: tuple[FoldOutcomes, ...]
    draws: tuple[tuple[int, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def num_clips(self) -> int:
        """Test clips, each counted in every fold that tests it."""
        return sum(len(fold.labels) for fold in self.folds)

    @cached_property
    def class_counts(self) -> Int[np.ndarray, " k"]:
        """Test clips of each class."""
        return np.bincount(np.concatenate([fold.labels for fold in self.folds]), minlength=len(self.classes))

    @cached_property
    def num_seeds(self) -> int:
        """The smallest number of seeds that a method has in a fold."""
        return min(len(fold.runs_of(method)) for fold in self.folds for method in self.methods)

    def num_runs(self, method: str) -> int:
        """Trained networks of a method."""
        return sum(len(fold.runs_of(method)) for fold in self.folds)

    @property
    def clean(self) -> int:
        """The position of the clean condition."""
        return self.conditions.index(CLEAN_CONDITION)

    def of(self, methods: Sequence[str]) -> "Outcomes":
        """The same outcomes for some of the methods, in the given order."""
        folds = tuple(_kept_runs(fold, set(methods)) for fold in self.folds)
        return replace(self, methods=tuple(methods), folds=folds)

    def under(self, conditions: Sequence[Condition]) -> "Outcomes":
        """The same outcomes on some of the conditions, in the given order."""
        places = [self.conditions.index(condition) for condition in conditions]
        return replace(
            self,
            conditions=tuple(conditions),
            folds=tuple(replace(fold, predicted=fold.predicted[:, places]) for fold in self.folds),
            draws=tuple(self.draws[place] for place in places),
        )

    def has_all_of(self, other: "Outcomes") -> bool:
        """Whether no method and no condition of the outcomes that these were taken from is missing."""
        return self.methods == other.methods and self.conditions == other.conditions

    def confusion(self, method: str, condition: int) -> Int[np.ndarray, "k k"]:
        """Clips by label (rows) and named class (columns), summed over folds, seeds and repeats."""
        size = len(self.classes)
        counts = np.zeros((size, size), dtype=np.int64)
        for fold in self.folds:
            named = fold.predicted[fold.runs_of(method), condition].astype(np.int64)
            pairs = np.broadcast_to(fold.labels, named.shape) * size + named
            counts += np.bincount(pairs.ravel(), minlength=size * size).reshape(size, size)
        return counts


def _kept_runs(fold: FoldOutcomes, methods: set[str]) -> FoldOutcomes:
    kept = [index for index, run in enumerate(fold.runs) if run.method in methods]
    return FoldOutcomes(
        fold=fold.fold,
        runs=tuple(fold.runs[index] for index in kept),
        clip_ids=fold.clip_ids,
        groups=fold.groups,
        labels=fold.labels,
        predicted=fold.predicted[kept],
    )
