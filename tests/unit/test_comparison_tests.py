"""Tests of differences agree with the papers that define them, with other libraries, and with enumeration."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from harness.stats.corrected_t import bayesian_correlated_t, nadeau_bengio
from harness.stats.exact_tests import attainable_floor, mcnemar, sign_flip, wilcoxon
from harness.stats.multiplicity import false_discovery, holm, max_t, shaffer, shaffer_factors
from harness.stats.ranking_tests import (
    control_difference,
    critical_difference,
    friedman,
    mean_ranks,
    pair_ranks,
    tie_correction,
)
from harness.stats.run_summaries import (
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)

# WAR per fold on DFEW, from the READMEs of MAE-DFER and S2D (the last with and without oversampling).
MAE_DFER = np.array([74.88, 72.49, 74.91, 74.05, 75.81])
S2D = np.array([76.16, 73.99, 76.41, 76.31, 77.27])
S2D_OVERSAMPLED = np.array([75.35, 72.53, 75.87, 74.48, 76.80])

# AUC of C4.5 with its parameters m and cf tuned: Demsar, JMLR 2006, table 6 (its first two columns are table 2).
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.975, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
DEMSAR_RANKS = np.array([44.0, 28.0, 40.5, 27.5]) / 14  # printed as 3.143, 2.000, 2.893, 1.964


def test_nadeau_bengio_on_the_published_folds_of_two_methods():
    test = nadeau_bengio(S2D - MAE_DFER, 0.25)
    assert (test.mean, test.low, test.high) == pytest.approx((1.60, 0.89, 2.31), abs=0.006)
    assert test.p_value == pytest.approx(0.0033, abs=5e-5)
    other = nadeau_bengio(S2D_OVERSAMPLED - MAE_DFER, 0.25)
    assert (other.mean, other.low, other.high) == pytest.approx((0.58, -0.17, 1.32), abs=0.006)
    assert other.p_value == pytest.approx(0.097, abs=5e-4)


def test_without_overlap_nadeau_bengio_is_the_ordinary_t_test():
    test = nadeau_bengio(S2D_OVERSAMPLED - MAE_DFER, 0.0)
    reference = stats.ttest_1samp(S2D_OVERSAMPLED - MAE_DFER, 0)
    assert (test.statistic, test.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert test.p_value == pytest.approx(0.032, abs=5e-4)


@pytest.mark.uses_global_rng
def test_the_scikit_learn_gallery_example_is_reproduced():
    """Statistical comparison of models using grid search: RBF against linear kernel, ten times ten folds."""
    data, labels = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    scores = [
        cross_val_score(SVC(kernel=kernel), data, labels, scoring="roc_auc", cv=folds) for kernel in ("rbf", "linear")
    ]
    test = nadeau_bengio(scores[0] - scores[1], 10 / 90)
    assert test.statistic == pytest.approx(0.750, abs=5e-4)
    assert test.p_value / 2 == pytest.approx(0.227, abs=5e-4)
    assert bayesian_correlated_t(scores[0] - scores[1], 10 / 90, 0.0).better == pytest.approx(0.773, abs=5e-4)


def test_at_rope_zero_the_posterior_is_the_one_sided_p_value():
    differences = S2D_OVERSAMPLED - MAE_DFER
    posterior = bayesian_correlated_t(differences, 0.25, 0.0)
    assert 1 - posterior.better == pytest.approx(nadeau_bengio(differences, 0.25).p_value / 2)
    assert posterior.equivalent == pytest.approx(0, abs=1e-12)


def test_the_posterior_sums_to_one_and_a_wide_rope_holds_all():
    differences = S2D - MAE_DFER
    assert sum(bayesian_correlated_t(differences, 0.25, 1.0)) == pytest.approx(1)
    assert bayesian_correlated_t(differences, 0.25, 100.0).equivalent == pytest.approx(1, abs=1e-6)


def test_two_folds_are_too_few_for_a_t_test():
    with pytest.raises(ValueError, match="3 are needed"):
        nadeau_bengio(np.array([0.1, 0.2]), 1.0)


def test_five_wins_of_five_folds_stop_at_the_floor():
    differences = S2D - MAE_DFER
    assert wilcoxon(differences).p_value == sign_flip(differences).p_value == attainable_floor(5) == 0.0625
    assert attainable_floor(6) == 0.03125


def test_demsars_table_2_gives_his_rank_sums():
    test = wilcoxon(DEMSAR[:, 1] - DEMSAR[:, 0])
    assert test.statistic == 12
    assert test.p_value < 0.05


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), pairs=st.integers(4, 11), digits=st.integers(1, 3))
def test_wilcoxon_is_the_enumeration_of_all_signs(seed, pairs, digits):
    differences = np.round(np.random.default_rng(seed).normal(0.3, 1, size=pairs), digits)
    ranks = stats.rankdata(np.abs(differences))
    moving = differences != 0
    sums = [float(ranks[moving] @ np.array(signs)) for signs in itertools.product((0, 1), repeat=int(moving.sum()))]
    observed = float(ranks[differences > 0].sum())
    tails = np.mean(np.array(sums) <= observed + 1e-9), np.mean(np.array(sums) >= observed - 1e-9)
    assert wilcoxon(differences).p_value == pytest.approx(min(1.0, 2 * min(tails)))


def test_wilcoxon_agrees_with_scipy_where_nothing_ties():
    differences = np.random.default_rng(5).normal(0.4, 1, size=18)
    assert wilcoxon(differences).p_value == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


def test_sign_flip_agrees_with_scipys_permutation_test():
    differences = np.random.default_rng(6).normal(0.5, 1, size=9)
    reference = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert sign_flip(differences).p_value == pytest.approx(reference.pvalue)


def test_mcnemar_gives_the_textbook_numbers():
    test = mcnemar(11, 1)
    assert (test.p_value, test.mid_p_value) == pytest.approx((0.006348, 0.003418), abs=5e-7)
    assert test.p_value == pytest.approx(stats.binomtest(1, 12).pvalue)


def test_networks_that_never_differ_have_p_one():
    assert mcnemar(0, 0).p_value == mcnemar(0, 0).mid_p_value == 1
    assert mcnemar(4, 4).p_value == mcnemar(4, 4).mid_p_value == 1


def test_friedman_from_demsars_printed_ranks():
    test = friedman(DEMSAR_RANKS, 14)
    assert (test.chi_square, test.p_value) == pytest.approx((9.2786, 0.0258), abs=5e-5)
    assert (test.f_statistic, test.f_p_value) == pytest.approx((3.6863, 0.0198), abs=5e-5)


def test_friedman_from_demsars_table_with_and_without_ties():
    ranks, correction = mean_ranks(DEMSAR), tie_correction(DEMSAR)
    assert friedman(ranks, 14).chi_square == pytest.approx(9.857, abs=5e-4)
    corrected = friedman(ranks, 14, correction)
    reference = stats.friedmanchisquare(*DEMSAR.T)
    assert (corrected.chi_square, corrected.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert corrected.chi_square == pytest.approx(10.952, abs=5e-4)


def test_a_unanimous_ranking_has_p_zero_and_no_division_by_zero():
    test = friedman(np.array([1.0, 2.0, 3.0]), 6)
    assert test.f_statistic == np.inf
    assert test.f_p_value == 0


def test_critical_differences_are_demsars():
    assert critical_difference(4, 14) == pytest.approx(1.2536, abs=5e-5)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.1181, abs=5e-5)
    assert control_difference(4, 14) == pytest.approx(1.1681, abs=5e-5)
    assert control_difference(4, 14, 0.10) == pytest.approx(1.0384, abs=5e-5)


@pytest.mark.parametrize(("methods", "expected"), [(2, 0.88), (3, 1.48), (4, 2.10), (5, 2.73), (8, 4.70), (10, 6.06)])
def test_five_blocks_hardly_separate_anything(methods, expected):
    assert critical_difference(methods, 5) == pytest.approx(expected, abs=0.006)


def test_demsars_comparisons_with_a_control():
    pairs = pair_ranks(DEMSAR_RANKS, 14)
    control = [index for index, first in enumerate(pairs.first) if first == 0]
    assert pairs.z[control] == pytest.approx([2.342, 0.512, 2.416], abs=1e-3)
    assert pairs.p_value[control] == pytest.approx([0.0192, 0.608, 0.0157], abs=5e-4)


def test_garcia_and_herreras_largest_and_smallest_differences():
    pairs = pair_ranks(np.array([2.1, 3.25, 2.2, 13 / 3, 3 + 3.5 / 30]), 30)
    assert np.abs(pairs.z).max() == pytest.approx(5.471, abs=1e-3)
    assert np.abs(pairs.z).min() == pytest.approx(0.245, abs=1e-3)


def test_four_data_sets_are_too_few_for_mean_ranks():
    with pytest.raises(ValueError, match="5 are needed"):
        mean_ranks(DEMSAR[:4])


def test_shaffers_factors_for_five_methods_are_the_published_ones():
    assert shaffer_factors(5).tolist() == [10, 6, 6, 6, 6, 4, 4, 3, 2, 1]


@pytest.mark.parametrize("methods", [3, 4, 5, 6])
def test_shaffers_factors_are_those_of_all_partitions(methods):
    def partitions(items):
        if not items:
            yield []
            return
        for rest in partitions(items[1:]):
            yield [[items[0]], *rest]
            for index, group in enumerate(rest):
                yield [*rest[:index], [items[0], *group], *rest[index + 1 :]]

    feasible = {sum(len(g) * (len(g) - 1) // 2 for g in groups) for groups in partitions(list(range(methods)))}
    pairs = methods * (methods - 1) // 2
    assert shaffer_factors(methods).tolist() == [max(f for f in feasible if f <= pairs - step) for step in range(pairs)]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_holm_is_the_closure_of_bonferroni(seed):
    """A hypothesis's adjusted p-value is the largest Bonferroni p-value of any intersection that contains it."""
    p_values = np.random.default_rng(seed).random(5) ** 3
    closed = [
        max(
            min(1.0, len(subset) * min(p_values[list(subset)]))
            for size in range(1, 6)
            for subset in itertools.combinations(range(5), size)
            if index in subset
        )
        for index in range(5)
    ]
    np.testing.assert_allclose(holm(p_values), closed)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_shaffer_never_asks_more_than_holm(seed):
    p_values = np.random.default_rng(seed).random(10) ** 3
    assert (shaffer(p_values, 5) <= holm(p_values) + 1e-15).all()
    assert (shaffer(p_values, 5) >= p_values).all()


def test_false_discovery_agrees_with_scipy():
    p_values = np.random.default_rng(0).random(20) ** 2
    np.testing.assert_allclose(false_discovery(p_values), stats.false_discovery_control(p_values))


def test_max_t_of_one_comparison_is_the_ordinary_one():
    drawn = 0.2 + np.random.default_rng(0).normal(scale=0.1, size=(20000, 1))
    together = max_t(np.array([0.2]), drawn)
    assert together.p_value[0] == pytest.approx(2 * stats.norm.sf(2), abs=0.004)
    assert together.low[0] == pytest.approx(0.2 - 1.96 * 0.1, abs=0.004)


def test_max_t_uses_that_comparisons_move_together():
    noise = np.random.default_rng(0).normal(size=(4000, 1))
    observed = np.full(8, 2.4)
    together = max_t(observed, observed + np.repeat(noise, 8, axis=1)).p_value
    apart = max_t(observed, observed + np.random.default_rng(1).normal(size=(4000, 8))).p_value
    assert together.max() < 0.03 < apart.min()


def test_the_interquartile_mean_is_a_trimmed_mean():
    scores = np.random.default_rng(0).random((15, 6))
    assert interquartile_mean(scores) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None))


def test_probability_of_improvement_is_the_mean_u_statistic():
    generator = np.random.default_rng(0)
    first, second = np.round(generator.random((7, 4)), 1), np.round(generator.random((5, 4)), 1)
    u = [stats.mannwhitneyu(first[:, task], second[:, task]).statistic / 35 for task in range(4)]
    assert probability_of_improvement(first, second) == pytest.approx(np.mean(u))
    assert probability_of_improvement(first, first) == 0.5


def test_a_profile_falls_from_one_to_zero_and_its_area_is_the_mean():
    scores = np.random.default_rng(0).random((9, 5))
    thresholds = np.linspace(0, 1, 2001)
    profile = performance_profile(scores, thresholds)
    assert profile[0] == 1
    assert profile[-1] == 0
    assert np.trapezoid(profile, thresholds) == pytest.approx(scores.mean(), abs=1e-3)
    assert optimality_gap(scores) == pytest.approx(1 - scores.mean())
