"""The carved validation split: disjoint, stratified, grouped, and the same every time."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tiny_clips import source_of

from harness.data.clip import OfficialFold
from harness.data.split import carve
from harness.datasets.dfew import dfew
from harness.errors import HarnessError
from harness.spec.trial import ValidationSpec

FRACTIONS = st.floats(0.05, 0.45)
LABELS = st.lists(st.integers(0, 3), min_size=8, max_size=120).filter(
    lambda labels: min(Counter(labels).values()) >= 2 and set(labels) == set(range(max(labels) + 1))
)


def counts(source, clip_ids) -> Counter:
    return Counter(source.clips[clip_id].label for clip_id in clip_ids)


@given(labels=LABELS, fraction=FRACTIONS)
def test_training_and_validation_share_out_the_official_training_part(labels, fraction):
    source = source_of(labels, test=[0])
    assume(all(count > 1 for count in counts(source, source.folds[1].train).values()))
    fold = carve(source, 1, ValidationSpec(fraction=fraction))
    assert sorted(fold.train + fold.val) == sorted(source.folds[1].train)
    assert fold.test == source.folds[1].test
    assert not set(fold.train) & set(fold.val)


@given(labels=LABELS, fraction=FRACTIONS)
def test_every_class_gives_its_share_and_keeps_a_training_clip(labels, fraction):
    source = source_of(labels)
    fold = carve(source, 1, ValidationSpec(fraction=fraction))
    train, val = counts(source, fold.train), counts(source, fold.val)
    for label, count in Counter(labels).items():
        assert train[label] >= 1
        assert val[label] >= 1
        assert abs(val[label] - fraction * count) <= 1


@given(labels=LABELS, fraction=FRACTIONS)
def test_without_groups_a_class_gives_one_contiguous_block_of_ids(labels, fraction):
    source = source_of(labels)
    val = set(carve(source, 1, ValidationSpec(fraction=fraction)).val)
    for label in set(labels):
        ids = [clip_id for clip_id, clip in source.clips.items() if clip.label == label]
        flags = "".join("v" if clip_id in val else "t" for clip_id in ids)
        assert "v" not in flags.strip("t").replace("v", "") + flags.strip("t").strip("v")


def test_the_block_after_the_test_clips_is_taken_so_that_folds_validate_on_different_clips():
    labels = [index % 2 for index in range(100)]
    blocks = [range(20 * k, 20 * k + 20) for k in range(5)]
    validated = []
    for block in blocks:
        source = source_of(labels, test=block)
        validated.append(set(carve(source, 1, ValidationSpec(fraction=0.25)).val))
    for position, val in enumerate(validated):
        assert val == {f"{index:04d}" for index in blocks[(position + 1) % 5]}


@st.composite
def grouped(draw):
    """Labels, and groups of which every class is in at least four."""
    num_groups, classes = draw(st.integers(8, 20)), draw(st.integers(2, 4))
    labels, groups = [], []
    for group in range(num_groups):
        for label in range(classes):
            count = draw(st.integers(1, 3)) if group % 2 == label % 2 else 0
            labels += [label] * count
            groups += [f"person {group}"] * count
    return labels, groups


@given(made=grouped(), fraction=FRACTIONS)
def test_a_group_is_never_on_both_sides(made, fraction):
    labels, groups = made
    source = source_of(labels, groups)
    fold = carve(source, 1, ValidationSpec(fraction=fraction))
    train = {source.clips[clip_id].group for clip_id in fold.train}
    val = {source.clips[clip_id].group for clip_id in fold.val}
    assert not train & val
    assert set(counts(source, fold.train)) == set(counts(source, fold.val)) == set(labels)


@given(made=grouped(), fraction=FRACTIONS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(made, fraction, order):
    labels, groups = made
    source = source_of(labels, groups)
    shuffled = list(source.folds[1].train)
    order.shuffle(shuffled)
    other = replace(source, folds={1: OfficialFold(tuple(shuffled), ())})
    assert carve(other, 1, ValidationSpec(fraction=fraction)) == carve(source, 1, ValidationSpec(fraction=fraction))


def test_many_small_groups_are_stratified_closely():
    labels = [index * index % 7 % 3 for index in range(600)]
    groups = [f"{index // 4}" for index in range(600)]
    source = source_of(labels, groups)
    fold = carve(source, 1, ValidationSpec(fraction=0.2))
    for label, count in Counter(labels).items():
        assert abs(counts(source, fold.val)[label] - 0.2 * count) <= 2


def test_a_partial_grouping_falls_back_to_blocks_of_ids():
    source = source_of([0, 1] * 10, groups=["", *["someone"] * 19])
    assert len(carve(source, 1, ValidationSpec(fraction=0.2)).val) == 4


def test_a_class_with_one_training_clip_is_an_error_that_names_it():
    source = source_of([0, 0, 0, 1])
    with pytest.raises(HarnessError, match="class 'b' has one training clip"):
        carve(source, 1, ValidationSpec())


def test_a_class_in_one_group_is_an_error_that_names_it():
    source = source_of([0, 0, 1, 1, 0], groups=["x", "y", "z", "z", "z"])
    with pytest.raises(HarnessError, match="class 'b' has one group"):
        carve(source, 1, ValidationSpec())


def test_classes_whose_groups_cannot_be_shared_out_are_an_error():
    # Each class is in two of three groups, so one of the three classes always misses a side.
    source = source_of([0, 0, 1, 1, 2, 2], groups=["x", "y", "y", "z", "x", "z"])
    with pytest.raises(HarnessError, match="too few groups"):
        carve(source, 1, ValidationSpec())


def test_a_fold_that_does_not_exist_is_named():
    with pytest.raises(HarnessError, match="no fold 9"):
        carve(source_of([0, 0, 1, 1]), 9, ValidationSpec())


def test_an_empty_training_part_is_an_error():
    with pytest.raises(HarnessError, match="no training clip"):
        carve(source_of([0, 1], test=[0, 1]), 1, ValidationSpec())


def test_real_identities_are_kept_apart_and_classes_in_balance(london):
    source = dfew.open(london, {"classes": ["Happy", "Neutral"]})
    for index in source.folds:
        fold = carve(source, index, ValidationSpec(fraction=0.2))
        people = [{source.clips[clip_id].group for clip_id in split} for split in (fold.train, fold.val, fold.test)]
        assert not people[0] & people[1]
        assert not people[0] & people[2]
        assert counts(source, fold.val)[0] == counts(source, fold.val)[1] == 32
