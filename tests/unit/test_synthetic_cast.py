from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy import stats

from harness.datasets._faces.cast import LENGTH_QUANTILES, Size, class_counts, draw_cast
from harness.datasets._faces.expressions import CLASSES, DFEW_COUNTS
from harness.datasets._faces.styles import STYLES
from harness.datasets.synthetic import SIZES


@pytest.fixture(scope="module", params=["tiny", "small", "medium"])
def cast(request):
    return draw_cast(SIZES[request.param], seed=0)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_classes_are_as_unequal_as_dfews_but_none_is_too_rare_for_five_folds(size):
    counts = class_counts(size)
    assert sum(counts) == size.clips
    assert min(counts) >= size.floor
    expected = np.array(DFEW_COUNTS) * size.clips / sum(DFEW_COUNTS)
    common = expected > 2 * size.floor
    np.testing.assert_allclose(np.array(counts)[common], expected[common], rtol=0.03)


def test_a_whole_dfew_would_have_dfews_own_counts():
    assert class_counts(Size(clips=sum(DFEW_COUNTS), side=64, identities=60)) == DFEW_COUNTS


def test_folds_follow_from_clip_numbers_as_in_dfew(cast):
    for expression in CLASSES:
        folds = [role.fold for role in cast if role.expression == expression]
        assert folds == sorted(folds)
        sizes = Counter(folds)
        assert [sizes[fold] for fold in range(1, 6)] == sorted(sizes.values(), reverse=True)
        assert max(sizes.values()) - min(sizes.values()) <= 1
        assert min(sizes.values()) >= 2


def test_every_person_is_in_one_fold_and_nobody_is_idle(cast):
    folds = defaultdict(set)
    for role in cast:
        folds[role.identity].add(role.fold)
    assert all(len(seen) == 1 for seen in folds.values())
    assert len(folds) >= 60
    per_fold = Counter(next(iter(seen)) for seen in folds.values())
    assert len(set(per_fold.values())) == 1


def test_clips_are_as_long_as_dfews(cast):
    lengths = np.array([role.num_frames for role in cast])
    shares, frames = zip(*LENGTH_QUANTILES, strict=True)
    np.testing.assert_allclose(np.quantile(lengths, shares), frames, atol=4)
    assert 11 <= lengths.min() < 16
    assert lengths.max() <= 240


def test_some_clips_are_shorter_than_sixteen_frames(cast):
    assert 0 < sum(role.num_frames < 16 for role in cast) < 0.02 * len(cast)


@pytest.mark.parametrize("what", ["style", "fold", "speaking", "length"])
def test_nothing_but_the_expression_tells_the_class(cast, what):
    value = {"length": lambda role: role.num_frames // 40}.get(what, lambda role: getattr(role, what))
    table = Counter((role.expression, value(role)) for role in cast)
    columns = sorted({key for _, key in table}, key=str)
    counts = np.array([[table[name, key] for key in columns] for name in CLASSES])
    assert stats.chi2_contingency(counts[counts.sum(axis=1) > 40]).pvalue > 0.001


def test_every_style_has_its_equal_share(cast):
    counts = Counter(role.style for role in cast)
    assert set(counts) == {style.name for style in STYLES}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_some_clips_are_ambiguous_and_most_are_clear(cast):
    peaks = np.array([role.peak for role in cast if role.expression != "Neutral"])
    assert 0.10 < (peaks < 0.55).mean() < 0.26
    blends = [role for role in cast if role.blend]
    assert 0.05 < len(blends) / len(cast) < 0.15
    assert all(role.blend_peak < role.peak for role in blends if role.expression != "Neutral")
    assert all(role.blend != role.expression for role in blends)


def test_phases_come_in_order_and_part_of_the_apex_is_in_every_clip(cast):
    for role in cast:
        onset, apex, offset, end = role.phases
        assert onset < apex <= offset < end
        assert apex < role.num_frames
        assert offset > 0


def test_a_seed_gives_one_cast():
    assert draw_cast(SIZES["tiny"], 5) == draw_cast(SIZES["tiny"], 5)
    assert draw_cast(SIZES["tiny"], 5) != draw_cast(SIZES["tiny"], 6)
