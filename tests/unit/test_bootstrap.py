"""Replicates are those of rows resampled one by one, pairs stay pairs, and spreads agree with closed forms."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap

from harness.metrics.uar import uar
from harness.metrics.war import war
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.bootstrap import Resampling, bootstrap
from harness.stats.count_tables import draw_weights, fold_table, no_resampling, weighted_counts
from harness.stats.outcomes import FoldOutcomes, Outcomes, Run

FOG = Condition(perturbation="fog", severity=3)


def fold_outcomes(number, predicted, labels, methods, groups=None):
    """Outcomes of one fold from predictions of shape methods, seeds, conditions, clips."""
    named, seeds, conditions, clips = predicted.shape
    runs = [Run(method=m, fold=number, seed=s, trial_id=f"{m}{s}") for m in methods[:named] for s in range(seeds)]
    ids = np.array([f"{number}-{index:04d}" for index in range(clips)], dtype=object)
    return FoldOutcomes(
        fold=number,
        runs=tuple(runs),
        clip_ids=ids,
        groups=ids if groups is None else groups,
        labels=labels.astype(np.int64),
        predicted=predicted.reshape(-1, conditions, 1, clips).astype(np.int8),
    )


def random_outcomes(seed=0, methods=("a", "b"), folds=2, seeds=1, clips=60, classes=3, skill=0.6, spread=0.0):
    generator = np.random.default_rng(seed)
    made = []
    for number in range(1, folds + 1):
        labels = np.concatenate([np.arange(classes), generator.integers(classes, size=clips - classes)])
        luck = generator.normal(scale=spread, size=(len(methods), seeds, 1, 1))
        right = generator.random((len(methods), seeds, 2, clips)) < skill + luck
        wrong = (labels + 1 + generator.integers(classes - 1, size=right.shape)) % classes
        made.append(fold_outcomes(number, np.where(right, labels, wrong), labels, methods))
    return Outcomes(
        classes=tuple("xyzuvw"[:classes]), methods=methods, conditions=(CLEAN_CONDITION, FOG), folds=tuple(made)
    )


def rows_of(outcomes, method, condition):
    """Logits and labels of all folds, for the metric files."""
    labels = np.concatenate([fold.labels for fold in outcomes.folds])
    named = np.concatenate([fold.predicted[fold.runs_of(method)[0], condition, 0] for fold in outcomes.folds])
    return np.eye(len(outcomes.classes), dtype=np.float32)[named], labels


def test_the_observed_scores_are_those_of_the_metric_files():
    outcomes = random_outcomes()
    scores = bootstrap(outcomes, Resampling(replicates=10))
    for index, method in enumerate(outcomes.methods):
        for condition in range(2):
            logits, labels = rows_of(outcomes, method, condition)
            assert scores.values["war"][index, condition] == pytest.approx(war.compute(logits, labels))
            assert scores.values["uar"][index, condition] == pytest.approx(uar.compute(logits, labels))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), by_group=st.booleans())
def test_a_replicate_is_the_score_of_rows_resampled_one_by_one(seed, by_group):
    outcomes = random_outcomes(seed, folds=1, clips=30)
    groups = np.array([f"g{index % 7}" for index in range(30)], dtype=object)
    fold = fold_outcomes(
        1, outcomes.folds[0].predicted.reshape(2, 1, 2, 30), outcomes.folds[0].labels, ("a", "b"), groups
    )
    table = fold_table(fold, ("a", "b"), fold.correct, by_seed=False, by_group=by_group)
    drawn = draw_weights(table, 3, (seed, 1, 0), paired_seeds=False)
    counts = weighted_counts(table, drawn, 3)
    for replicate in range(3):
        weight = np.zeros(30, dtype=int)
        if by_group:
            names = np.unique(groups.astype(str))
            for group, times in zip(names, drawn.units[0][replicate], strict=True):
                weight[groups == group] = times
        else:
            for label, times in zip(np.unique(fold.labels), drawn.units, strict=True):
                weight[fold.labels == label] = times[replicate]
        rows = np.repeat(np.arange(30), weight)
        for method in range(2):
            right = fold.correct[method, 0, 0]
            for label in range(3):
                units = 7 if by_group else int((fold.labels == label).sum())
                stretch = np.sqrt(units / (units - 1)) if units > 1 else 0.0
                observed = (right & (fold.labels == label)).sum(), (fold.labels == label).sum()
                drawn_counts = (right[rows] & (fold.labels[rows] == label)).sum(), (fold.labels[rows] == label).sum()
                expected = [seen + stretch * (new - seen) for seen, new in zip(observed, drawn_counts, strict=True)]
                found = counts.hits[label, replicate, method, 0], counts.clips[label, replicate]
                np.testing.assert_allclose(found, expected)


def test_every_fold_and_class_keeps_its_number_of_clips_in_every_replicate():
    fold = random_outcomes().folds[0]
    table = fold_table(fold, ("a", "b"), fold.correct, by_seed=False, by_group=False)
    counts = weighted_counts(table, draw_weights(table, 50, (0, 1, 0), paired_seeds=False), 3)
    assert (counts.clips == np.bincount(fold.labels)[:, None]).all()
    assert (weighted_counts(table, no_resampling(table), 3).clips[:, 0] == np.bincount(fold.labels)).all()


def test_equal_methods_never_differ_in_any_replicate():
    outcomes = random_outcomes(methods=("a",))
    fold = outcomes.folds[0]
    twins = fold_outcomes(1, np.repeat(fold.predicted.reshape(1, 1, 2, -1), 2, axis=0), fold.labels, ("a", "b"))
    scores = bootstrap(
        Outcomes(classes=outcomes.classes, methods=("a", "b"), conditions=outcomes.conditions, folds=(twins,)),
        Resampling(replicates=100),
    )
    assert (scores.replicates["uar"][:, 0] == scores.replicates["uar"][:, 1]).all()
    assert scores.replicates["uar"][:, 0].std(axis=0).min() > 0


@pytest.mark.parametrize("seeds", [1, 3])
def test_adding_a_method_moves_no_other_methods_interval(seeds):
    outcomes = random_outcomes(methods=("a", "b", "c"), seeds=seeds)
    all_three = bootstrap(outcomes, Resampling(replicates=60))
    two = bootstrap(outcomes.of(("a", "c")), Resampling(replicates=60))
    np.testing.assert_array_equal(all_three.replicates["war"][:, [0, 2]], two.replicates["war"])


def test_the_spread_of_war_is_the_closed_form_of_a_stratified_mean():
    outcomes = random_outcomes(methods=("a",), clips=400)
    scores = bootstrap(outcomes, Resampling(replicates=4000))
    variance = 0.0
    for fold in outcomes.folds:
        for label in range(3):
            own = fold.correct[0, 0, 0][fold.labels == label]
            variance += len(own) * own.var(ddof=1)
    expected = np.sqrt(variance) / outcomes.num_clips
    assert scores.replicates["war"][:, 0, 0].std() == pytest.approx(expected, rel=0.05)


def test_folds_with_two_clips_of_a_class_do_not_hide_half_of_the_variance():
    """Twenty folds with one right and one wrong clip: the variance of the mean is s^2 / n = (1 / 2) / 40."""
    folds = tuple(
        fold_outcomes(number, np.array([0, 1]).reshape(1, 1, 1, 2), np.zeros(2, dtype=int), ("a",))
        for number in range(20)
    )
    outcomes = Outcomes(classes=("x", "y"), methods=("a",), conditions=(CLEAN_CONDITION,), folds=folds)
    drawn = bootstrap(outcomes, Resampling(replicates=8000)).replicates["war"][:, 0, 0]
    assert drawn.var() == pytest.approx(0.5 / 40, rel=0.06)


def test_a_single_stratum_agrees_with_scipy():
    right = np.random.default_rng(3).random(80) < 0.7
    labels = np.zeros(80, dtype=int)
    fold = fold_outcomes(1, np.where(right, 0, 1).reshape(1, 1, 1, 80), labels, ("a",))
    outcomes = Outcomes(classes=("x", "y"), methods=("a",), conditions=(CLEAN_CONDITION,), folds=(fold,))
    band = bootstrap(outcomes, Resampling(replicates=6000)).band("war")
    reference = scipy_bootstrap(
        (right.astype(float),), np.mean, n_resamples=6000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (band.low[0, 0], band.high[0, 0]) == pytest.approx((reference.low, reference.high), abs=0.013)


def test_resampled_groups_agree_with_the_enumeration_of_all_resamples():
    sizes, hits = np.array([4, 3, 5, 2]), np.array([3, 0, 4, 1])
    labels = np.zeros(14, dtype=int)
    right = np.concatenate([np.arange(size) < hit for size, hit in zip(sizes, hits, strict=True)])
    groups = np.array([f"g{index}" for index in np.repeat(np.arange(4), sizes)], dtype=object)
    fold = fold_outcomes(1, np.where(right, 0, 1).reshape(1, 1, 1, 14), labels, ("a",), groups)
    outcomes = Outcomes(classes=("x", "y"), methods=("a",), conditions=(CLEAN_CONDITION,), folds=(fold,))
    drawn = bootstrap(outcomes, Resampling(replicates=20000, by_group=True)).replicates["war"][:, 0, 0]
    draws = np.array(list(itertools.product(range(4), repeat=4)))
    stretch = np.sqrt(4 / 3)
    all_hits, all_clips = hits.sum(), sizes.sum()
    exact = (all_hits + stretch * (hits[draws].sum(axis=1) - all_hits)) / (
        all_clips + stretch * (sizes[draws].sum(axis=1) - all_clips)
    )
    assert drawn.mean() == pytest.approx(exact.mean(), abs=0.004)
    assert drawn.std() == pytest.approx(exact.std(), rel=0.03)
    assert set(np.round(drawn, 9)) <= set(np.round(exact, 9))


def test_with_three_seeds_the_interval_covers_training_luck_too():
    steady = bootstrap(random_outcomes(seeds=3, clips=2000, folds=5, spread=0.0), Resampling(replicates=500))
    lucky = bootstrap(random_outcomes(seeds=3, clips=2000, folds=5, spread=0.05), Resampling(replicates=500))
    assert steady.covers == lucky.covers == "clips and seeds"
    assert lucky.replicates["war"].std(axis=0).min() > 2 * steady.replicates["war"].std(axis=0).max()


def test_the_seed_part_of_the_spread_is_the_unbiased_variance_of_a_mean():
    """Where clips carry no variation (all right or all wrong in a run), only seeds do: variance s^2 / (K S)."""
    right = np.zeros((1, 4, 1, 50), dtype=bool)
    right[0, :2] = True
    labels = np.zeros(50, dtype=int)
    fold = fold_outcomes(1, np.where(right, 0, 1), labels, ("a",))
    outcomes = Outcomes(classes=("x", "y"), methods=("a",), conditions=(CLEAN_CONDITION,), folds=(fold,))
    drawn = bootstrap(outcomes, Resampling(replicates=8000)).replicates["war"][:, 0, 0]
    assert drawn.var() == pytest.approx(np.var([1, 1, 0, 0], ddof=1) / 4, rel=0.05)


@pytest.mark.parametrize("seeds", [3, 4, 5, 7])
def test_where_every_clip_is_named_rightly_the_limits_are_one_to_the_last_digit(seeds):
    outcomes = random_outcomes(methods=("a",), seeds=seeds, skill=1.1)
    band = bootstrap(outcomes, Resampling(replicates=200)).band("uar")
    assert (band.low == 1).all()
    assert (band.high == 1).all()


def test_two_seeds_say_nothing_about_training():
    scores = bootstrap(random_outcomes(seeds=2), Resampling(replicates=20))
    assert scores.covers == "clips"


def test_the_same_name_draws_the_same_and_another_draws_otherwise():
    outcomes = random_outcomes()
    first, again, other = (bootstrap(outcomes, Resampling(replicates=30, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.replicates["uar"], again.replicates["uar"])
    assert (first.replicates["uar"] != other.replicates["uar"]).any()


def test_intervals_hold_the_truth_as_often_as_they_say():
    hold = 0
    for study in range(200):
        scores = bootstrap(random_outcomes(study, methods=("a",), clips=100, skill=0.7), Resampling(replicates=250))
        band = scores.band("war")
        hold += bool(band.low[0, 0] <= 0.7 <= band.high[0, 0])
    assert 180 <= hold <= 199
