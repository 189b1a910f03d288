"""Every class is trained on and tested, and groups on both sides of a fold are counted."""

import re
from dataclasses import replace

import pytest
from tiny_clips import source_of

from harness.data.clip import OfficialFold
from harness.data.coverage import check_classes, two_sided_groups
from harness.datasets._lists import Problems
from harness.datasets._reading import ReaderOptions, finish
from harness.errors import HarnessError


def test_a_class_without_training_clips_is_refused_with_fold_and_counts():
    source = replace(source_of([0, 0, 1, 1, 2], test=[0, 2, 4]), classes=("Sad", "Happy", "sad"))
    told = "fold 1: class 'sad' (there is also 'Sad') has 0 training and 1 test clips"
    with pytest.raises(HarnessError, match=re.escape(told)):
        check_classes(source, [1])


def test_a_class_without_test_clips_in_all_folds_is_refused():
    source = source_of([0, 0, 1, 1, 1], test=[0])
    with pytest.raises(HarnessError, match="class 'b' has no test clip in fold 1, and 3 training clips"):
        check_classes(source, [1])


def test_a_class_that_one_of_the_folds_tests_is_enough():
    source = source_of([0, 0, 1, 1], test=[0, 2])
    ids = list(source.clips)
    folds = {**source.folds, 2: OfficialFold((ids[0], ids[2], ids[3]), (ids[1],))}
    check_classes(replace(source, folds=folds), [1, 2])


def test_a_fold_that_only_the_search_uses_is_looked_at_for_training_clips():
    source = source_of([0, 0, 1, 1], test=[0, 2])
    ids = list(source.clips)
    source = replace(source, folds={**source.folds, 2: OfficialFold((ids[0],), (ids[1],))})
    with pytest.raises(HarnessError, match="fold 2: class 'b' has 0 training"):
        check_classes(source, [1], [2])


def test_groups_on_both_sides_are_counted_with_their_test_clips():
    source = source_of([0] * 6, groups=["a", "a", "b", "b", "c", "c"], test=[0, 1, 2])
    (told,) = two_sided_groups(source, [1])
    assert told.startswith("fold 1: 1 of 3 groups, with 1 of 3 test clips, are on both sides")
    assert "'b'" in told


@pytest.mark.parametrize("groups", [None, ["a", "a", "b", "b"]])
def test_groups_that_are_apart_or_not_known_are_not_told_of(groups):
    assert list(two_sided_groups(source_of([0] * 4, groups=groups, test=[0, 1]), [1])) == []


@pytest.mark.parametrize("folds", ["official", "leave_group_out"])
def test_a_k_that_makes_no_folds_is_refused(folds):
    source = source_of([0, 0, 1, 1], groups=["a", "b"] * 2, test=[0, 2])
    with pytest.raises(HarnessError, match="k: 2 would be ignored"):
        finish(source, ReaderOptions(folds=folds, k=2), Problems())


def test_a_k_makes_folds_where_there_are_none():
    source = replace(source_of([0, 0, 1, 1]), folds={})
    assert list(finish(source, ReaderOptions(k=2), Problems()).folds) == [1, 2]
