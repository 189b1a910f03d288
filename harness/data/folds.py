"""Folds for data sets that publish none: k folds, or one group or domain left out at a time. No seed is involved."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int

from harness.data.clip import Clip, OfficialFold
from harness.data.files import natural_key
from harness.errors import HarnessError


def k_fold(clips: Iterable[Clip], k: int, classes: Sequence[str] = ()) -> dict[int, OfficialFold]:
    """K folds counted from 1, stratified by class; each clip is tested once.

    Where all clips name a group, groups stay whole. Where they do not, each class is sorted by id and cut into k
    contiguous blocks, larger ones first: the rule of DFEW's own folds, under which neighbours stay together.
    ``classes`` are names for error messages.

    Raises:
        HarnessError: if a class has fewer clips than folds, or there are fewer groups than folds.
    """
    ordered = sorted(clips, key=lambda clip: natural_key(clip.clip_id))
    if k < 2:
        raise HarnessError(f"k_fold needs at least 2 folds, not {k}.")
    grouped = all(clip.group for clip in ordered)
    tested = _grouped_folds(ordered, k) if grouped else _block_folds(ordered, k, classes)
    return {
        fold: OfficialFold(
            tuple(clip.clip_id for clip, own in zip(ordered, tested, strict=True) if own != fold),
            tuple(clip.clip_id for clip, own in zip(ordered, tested, strict=True) if own == fold),
        )
        for fold in range(1, k + 1)
    }


def group_blocks(clips: Iterable[Clip], k: int) -> dict[int, OfficialFold]:
    """K folds of whole groups that follow each other in natural order (actors 1 to 4, 5 to 8, ...), counted from 1.

    Raises:
        HarnessError: if there are fewer groups than folds.
    """
    ordered = sorted(clips, key=lambda clip: natural_key(clip.clip_id))
    names = sorted({clip.group for clip in ordered}, key=natural_key)
    if len(names) < k:
        raise _too_few(len(names), k)
    blocks = [set(block.tolist()) for block in np.array_split(np.array(names), k)]
    return {
        fold: OfficialFold(
            tuple(clip.clip_id for clip in ordered if clip.group not in block),
            tuple(clip.clip_id for clip in ordered if clip.group in block),
        )
        for fold, block in enumerate(blocks, start=1)
    }


def leave_out(clips: Iterable[Clip], by: Literal["group", "domain"]) -> dict[int, OfficialFold]:
    """One fold per group or domain, which it tests on and trains on all others; counted from 1 in natural order.

    Raises:
        HarnessError: if clips do not name one, or all name the same.
    """
    ordered = sorted(clips, key=lambda clip: natural_key(clip.clip_id))
    held = [clip.group if by == "group" else clip.domain for clip in ordered]
    if not all(held):
        nameless = ordered[held.index("")].clip_id
        raise HarnessError(f"leave_{by}_out needs a {by} for every clip; clip '{nameless}' has none.")
    names = sorted(set(held), key=natural_key)
    if len(names) < 2:
        raise HarnessError(f"leave_{by}_out needs two {by}s or more; all clips have {by} '{''.join(names)}'.")
    return {
        number: OfficialFold(
            tuple(clip.clip_id for clip, own in zip(ordered, held, strict=True) if own != name),
            tuple(clip.clip_id for clip, own in zip(ordered, held, strict=True) if own == name),
        )
        for number, name in enumerate(names, start=1)
    }


def _block_folds(clips: Sequence[Clip], k: int, classes: Sequence[str]) -> list[int]:
    """The test fold of each clip: contiguous blocks of each class."""
    labels = np.array([clip.label for clip in clips])
    tested = np.zeros(len(clips), dtype=np.int64)
    for label in sorted(set(labels.tolist())):
        members = np.flatnonzero(labels == label)
        if len(members) < k:
            name = f"'{classes[label]}'" if classes else str(label)
            raise HarnessError(f"class {name} has {len(members)} clips, too few for {k} folds. Lower dataset.k.")
        for fold, block in enumerate(np.array_split(members, k), start=1):
            tested[block] = fold
    return [int(fold) for fold in tested]


def _grouped_folds(clips: Sequence[Clip], k: int) -> list[int]:
    """The test fold of each clip: whole groups, the most uneven ones dealt first, each to where it is needed most."""
    names = sorted({clip.group for clip in clips}, key=natural_key)
    if len(names) < k:
        raise _too_few(len(names), k)
    labels = sorted({clip.label for clip in clips})
    rows, columns = {n: i for i, n in enumerate(names)}, {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(names), len(labels)), dtype=np.int64)
    for clip in clips:
        counts[rows[clip.group], columns[clip.label]] += 1
    folds = _deal(counts, k)
    return [int(folds[rows[clip.group]]) + 1 for clip in clips]


def _deal(counts: Int[np.ndarray, "g k"], num_folds: int) -> Int[np.ndarray, " g"]:
    """Groups dealt to folds so that every class is spread evenly: the greedy rule of stratified group k-fold.

    Groups go in falling order of the spread of their class counts; each goes to the fold where the standard
    deviation over folds of the class shares then is smallest, among equals to the fold with the fewest clips.
    """
    order = np.argsort(-counts.std(axis=1), kind="stable")
    share = counts / counts.sum(axis=0)
    held = np.zeros((num_folds, counts.shape[1]))
    sizes = np.zeros(num_folds, dtype=np.int64)
    folds = np.zeros(len(counts), dtype=np.int64)
    for group in order:
        spreads = np.empty(num_folds)
        for fold in range(num_folds):
            held[fold] += share[group]
            spreads[fold] = held.std(axis=0).mean()
            held[fold] -= share[group]
        near = np.flatnonzero(spreads <= spreads.min() + 1e-12)
        fold = int(near[np.argmin(sizes[near])])
        held[fold] += share[group]
        sizes[fold] += counts[group].sum()
        folds[group] = fold
    return folds


def _too_few(groups: int, k: int) -> HarnessError:
    return HarnessError(f"{groups} groups are too few for {k} folds: dataset.k can be {groups} at most.")
