"""A validation split carved out of an official training fold, deterministic and free of seeds.

Stratified by class and grouped. Where clips name a group (identity, movie, scene), whole groups are moved. Where they
do not, each class gives one contiguous block of ids: DFEW's folds are contiguous id blocks that roughly follow films,
so a clip-by-clip split would put neighbours from one film on both sides.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from harness.data.clip import Clip, Fold, Source
from harness.data.files import natural_key
from harness.errors import HarnessError
from harness.spec.trial import ValidationSpec


def carve(source: Source, fold: int, validation: ValidationSpec) -> Fold:
    """Train, validation and test clip ids of an official fold; the test part is the official one, untouched.

    Every class keeps at least one clip in training and gives at least one to validation. Ids are in natural order.

    Raises:
        HarnessError: if there is no such fold, if its two official parts overlap, or if a class of its training part
            cannot be in both training and validation.
    """
    official = source.fold(fold)
    clips = [source.clips[clip_id] for clip_id in sorted(official.train, key=natural_key)]
    if not clips:
        raise HarnessError(f"{source.name}: fold {fold} has no training clip.")
    where = f"{source.name}, fold {fold}"
    if all(clip.group for clip in clips):
        chosen = _whole_groups(clips, source.classes, validation.fraction, where)
    else:
        test = [source.clips[clip_id] for clip_id in official.test]
        chosen = _id_blocks(clips, test, source.classes, validation.fraction, where)
    return Fold(
        index=fold,
        train=tuple(clip.clip_id for clip, is_val in zip(clips, chosen, strict=True) if not is_val),
        val=tuple(clip.clip_id for clip, is_val in zip(clips, chosen, strict=True) if is_val),
        test=tuple(sorted(official.test, key=natural_key)),
    )


def _id_blocks(
    clips: Sequence[Clip], test: Sequence[Clip], classes: Sequence[str], fraction: float, where: str
) -> Bool[np.ndarray, " n"]:
    """One contiguous block of ids per class, the one that follows the class's test clips (the first if none follows).

    So the validation blocks of different folds differ, and only one of a block's two borders is with training clips.
    """
    labels = np.array([clip.label for clip in clips])
    chosen = np.zeros(len(clips), dtype=bool)
    for label in sorted(set(labels.tolist())):
        members = np.flatnonzero(labels == label).tolist()
        if len(members) < 2:
            raise _no_split(where, classes[label], "one training clip")
        size = int(np.clip(round(fraction * len(members)), 1, len(members) - 1))
        start = _rank([clips[index].clip_id for index in members], [c.clip_id for c in test if c.label == label])
        start = start if start + size <= len(members) else 0
        chosen[members[start : start + size]] = True
    return chosen


def _rank(train_ids: Sequence[str], test_ids: Sequence[str]) -> int:
    """How many of the training ids come before the middle of the test ids."""
    if not test_ids:
        return 0
    keys = sorted(natural_key(clip_id) for clip_id in test_ids)
    middle = keys[len(keys) // 2]
    return sum(natural_key(clip_id) < middle for clip_id in train_ids)


def _whole_groups(clips: Sequence[Clip], classes: Sequence[str], fraction: float, where: str) -> Bool[np.ndarray, " n"]:
    """Whole groups whose class counts come closest to the wanted share, found by greedy choice and then exchange."""
    names = sorted({clip.group for clip in clips}, key=natural_key)
    rows = {name: row for row, name in enumerate(names)}
    counts = np.zeros((len(names), len(classes)), dtype=np.int64)
    for clip in clips:
        counts[rows[clip.group], clip.label] += 1
    present = np.flatnonzero(counts.sum(axis=0)).tolist()
    for label in present:
        if (counts[:, label] > 0).sum() < 2:
            raise _no_split(where, classes[label], "one group of training clips")
    taken = _choose_groups(counts[:, present], fraction)
    lacking = [label for label in present if not counts[taken, label].any()]
    if lacking:
        raise _no_split(where, classes[lacking[0]], "too few groups of training clips")
    taken = _exchange_groups(counts[:, present], taken, fraction)
    return np.array([taken[rows[clip.group]] for clip in clips])


def _choose_groups(counts: Int[np.ndarray, "g k"], fraction: float) -> Bool[np.ndarray, " g"]:
    """Greedy choice of groups by the squared relative distance of class counts from ``fraction`` of all.

    Stops when no group brings the counts closer. A group that holds the last training clips of a class is never
    taken; a class that is still without validation clips gets the least harmful group that has it.
    """
    total = counts.sum(axis=0)
    taken = np.zeros(len(counts), dtype=bool)
    while True:
        held = counts[taken].sum(axis=0)
        free = ~taken & ((held + counts) < total).all(axis=1)
        costs = np.where(free, _cost(held + counts, total, fraction), np.inf)
        best = int(np.argmin(costs))
        if costs[best] >= _cost(held, total, fraction):
            helps = (counts[:, held == 0] > 0).any(axis=1) if (held == 0).any() else np.zeros(len(counts), dtype=bool)
            costs = np.where(helps, costs, np.inf)
            best = int(np.argmin(costs))
        if not np.isfinite(costs[best]):
            return taken
        taken[best] = True


def _exchange_groups(
    counts: Int[np.ndarray, "g k"], taken: Bool[np.ndarray, " g"], fraction: float
) -> Bool[np.ndarray, " g"]:
    """Exchange a taken group for a free one, or add or give back one, while that brings the counts closer.

    Classes stay on both sides. The row of zeros stands for no group at all. Groups with equal counts are
    interchangeable, so one of each kind is looked at.
    """
    total = counts.sum(axis=0)
    padded = np.vstack([counts, np.zeros_like(counts[:1])])
    taken = taken.copy()
    while True:
        held = counts[taken].sum(axis=0)
        inside, outside = (_kinds(padded, np.append(np.flatnonzero(side), len(counts))) for side in (taken, ~taken))
        after = held + padded[outside][:, None] - padded[inside][None]
        allowed = ((after > 0) & (after < total)).all(axis=-1)
        costs = np.where(allowed, _cost(after, total, fraction), np.inf)
        row, position = np.unravel_index(int(np.argmin(costs)), costs.shape)
        if not costs[row, position] < _cost(held, total, fraction) - 1e-12:
            return taken
        for group, state in ((inside[position], False), (outside[row], True)):
            if group < len(counts):
                taken[group] = state


def _kinds(counts: Int[np.ndarray, "g k"], groups: Int[np.ndarray, " m"]) -> Int[np.ndarray, " u"]:
    """The first group of each kind: of each different row of counts."""
    _, first = np.unique(counts[groups], axis=0, return_index=True)
    kinds: np.ndarray = groups[np.sort(first)]
    return kinds


def _cost(held: Int[np.ndarray, "... k"], total: Int[np.ndarray, " k"], fraction: float) -> Float[np.ndarray, "..."]:
    """Squared relative distance of class counts from the wanted share, summed over classes."""
    cost: np.ndarray = np.asarray((((held - fraction * total) / total) ** 2).sum(axis=-1))
    return cost


def _no_split(where: str, name: str, reason: str) -> HarnessError:
    return HarnessError(
        f"{where}: class '{name}' has {reason}, so it cannot be in both training and validation. "
        "Leave the class out with the data set's option 'classes', or add clips."
    )
