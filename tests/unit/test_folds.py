"""Folds made where a data set publishes none: against DFEW's published counts and scikit-learn's grouping."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold
from tiny_clips import source_of

from harness.data.clip import Clip
from harness.data.folds import group_blocks, k_fold, leave_out
from harness.errors import HarnessError

DFEW_TEST_COUNTS = {
    # Counted from the public lists: class size, and its clips in test folds 1 to 5.
    "Happy": (2445, [489, 489, 489, 489, 489]),
    "Sad": (1894, [379, 379, 379, 379, 378]),
    "Neutral": (2669, [534, 534, 534, 534, 533]),
    "Angry": (2173, [435, 435, 435, 434, 434]),
    "Surprise": (1469, [294, 294, 294, 294, 293]),
    "Disgust": (145, [29, 29, 29, 29, 29]),
    "Fear": (902, [181, 181, 180, 180, 180]),
}


def test_blocks_of_ids_reproduce_the_sizes_of_dfews_official_folds():
    labels = [label for label, (size, _) in enumerate(DFEW_TEST_COUNTS.values()) for _ in range(size)]
    source = source_of(labels)
    folds = k_fold(source.clips.values(), 5)
    for label, (_, expected) in enumerate(DFEW_TEST_COUNTS.values()):
        counts = [sum(source.clips[clip_id].label == label for clip_id in fold.test) for fold in folds.values()]
        assert counts == expected


@given(labels=st.lists(st.integers(0, 2), min_size=20, max_size=80), k=st.integers(2, 5))
def test_every_clip_is_tested_once_and_trained_on_in_all_other_folds(labels, k):
    if min(Counter(labels).values()) < k:
        labels = [0, 1, 2] * k
    source = source_of(labels)
    folds = k_fold(source.clips.values(), k)
    assert list(folds) == list(range(1, k + 1))
    assert sorted(clip_id for fold in folds.values() for clip_id in fold.test) == sorted(source.clips)
    for fold in folds.values():
        assert set(fold.train) == set(source.clips) - set(fold.test)


@given(labels=st.lists(st.integers(0, 2), min_size=30, max_size=60))
def test_without_groups_a_classs_test_clips_are_neighbours(labels):
    labels = [*labels, 0, 1, 2, 0, 1, 2]
    source = source_of(labels)
    for fold in k_fold(source.clips.values(), 2).values():
        for label in range(3):
            ids = [clip_id for clip_id, clip in source.clips.items() if clip.label == label]
            flags = [clip_id in fold.test for clip_id in ids]
            assert np.abs(np.diff(np.array(flags, dtype=int))).sum() <= 1


@pytest.mark.uses_global_rng
@given(seed=st.integers(0, 10_000))
def test_whole_groups_are_spread_as_evenly_as_scikit_learn_spreads_them(seed):
    generator = np.random.default_rng(seed)
    groups = [f"g{index}" for index in range(30) for _ in range(int(generator.integers(1, 12)))]
    labels = generator.choice(3, size=len(groups), p=[0.6, 0.3, 0.1]).tolist()
    labels[:3] = [0, 1, 2]
    source = source_of(labels, groups)
    ours = [fold.test for fold in k_fold(source.clips.values(), 5).values()]
    theirs = [part for _, part in StratifiedGroupKFold(5).split(labels, labels, groups)]

    def unevenness(parts) -> float:
        counts = np.array([np.bincount([labels[int(index)] for index in part], minlength=3) for part in parts])
        return float((counts / np.bincount(labels)).std(axis=0).mean())

    assert unevenness(ours) <= unevenness(theirs) + 0.02
    held = [{source.clips[clip_id].group for clip_id in part} for part in ours]
    assert sum(len(part) for part in held) == len(set(groups))


def test_leaving_one_group_out_tests_each_group_once():
    source = source_of([0, 1] * 6, groups=["b", "b", "a10", "a10", "a2", "a2"] * 2)
    folds = leave_out(source.clips.values(), "group")
    tested = [{source.clips[clip_id].group for clip_id in fold.test} for fold in folds.values()]
    assert tested == [{"a2"}, {"a10"}, {"b"}]
    for fold in folds.values():
        assert set(fold.train) | set(fold.test) == set(source.clips)


def test_leaving_one_domain_out_needs_domains():
    clips = [Clip(clip_id=str(i), path=source_of([0]).root, label=0, domain="x" if i else "") for i in range(4)]
    with pytest.raises(HarnessError, match="clip '0' has none"):
        leave_out(clips, "domain")
    with pytest.raises(HarnessError, match="all clips have domain 'x'"):
        leave_out(clips[1:], "domain")


def test_groups_in_blocks_follow_their_order():
    source = source_of([0] * 24, groups=[f"Actor_{number:02d}" for number in range(1, 25)])
    folds = group_blocks(source.clips.values(), 6)
    assert [int(clip_id) + 1 for clip_id in folds[2].test] == [5, 6, 7, 8]
    assert {len(fold.train) for fold in folds.values()} == {20}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: k_fold(source_of([0, 0, 1]).clips.values(), 2), "class 1 has 1 clips"),
        (lambda: k_fold(source_of([0, 1], groups=["a", "a"]).clips.values(), 2), "1 groups are too few"),
        (lambda: k_fold(source_of([0, 1]).clips.values(), 1), "at least 2 folds"),
        (lambda: group_blocks(source_of([0, 1], groups=["a", "a"]).clips.values(), 2), "1 groups are too few"),
    ],
)
def test_folds_that_cannot_be_made_say_why(make, message):
    with pytest.raises(HarnessError, match=message):
        make()
