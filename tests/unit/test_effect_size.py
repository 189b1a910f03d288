"""Paired effect sizes: closed forms, and what they must not depend on."""

import math

import numpy as np
import pytest
from fabricated_run import Fabrication, fabricate
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, ttest_rel

from harness.report.comparison import compare
from harness.report.comparison_question import Question
from harness.report.study_results import read_results
from harness.stats.effect_size import improvement, paired_effect
from harness.stats.fold_scores import fold_scores, run_scores

NUMBERS = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=12).map(np.array)


@given(NUMBERS, NUMBERS)
def test_d_z_is_the_paired_t_statistic_over_the_root_of_the_number_of_pairs(one, other):
    size = min(len(one), len(other))
    one, other = one[:size], other[:size]
    if (one - other).std(ddof=1) > 1e-9:
        expected = ttest_rel(one, other).statistic / math.sqrt(size)
        assert paired_effect(one - other) == pytest.approx(expected, rel=1e-9)


def test_d_z_is_not_defined_without_a_spread():
    assert math.isnan(paired_effect(np.array([0.3])))
    assert math.isnan(paired_effect(np.full(5, 0.25)))


@given(NUMBERS, NUMBERS)
def test_improvement_on_one_fold_is_mann_whitneys_u_over_its_most(one, other):
    expected = mannwhitneyu(one, other).statistic / (len(one) * len(other))
    assert improvement([one], [other]) == pytest.approx(expected)
    assert improvement([one], [other]) + improvement([other], [one]) == pytest.approx(1)


def test_folds_count_alike_however_many_seeds_they_have():
    assert improvement([np.array([2.0]), np.zeros(9)], [np.array([1.0]), np.ones(9)]) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    fabrication = Fabrication(folds=(1, 2, 3), seeds=(0, 1), clips=60, severities=(3,), perturbations=("contrast",))
    return fabricate(tmp_path_factory.mktemp("runs"), fabrication)


@pytest.mark.parametrize("metric", ["uar", "war"])
def test_a_folds_score_is_the_mean_of_its_trainings(run, metric):
    outcomes = read_results(run).outcomes
    for fold, by_method in zip(outcomes.folds, fold_scores(outcomes, metric), strict=True):
        scores = run_scores(fold, metric)
        for method, expected in zip(outcomes.methods, by_method, strict=True):
            np.testing.assert_allclose(scores[fold.runs_of(method)].mean(axis=0), expected)


def test_a_comparison_says_both_sizes_and_what_they_are_worth(run):
    found = compare(run, Question(replicates=50))
    outcomes = read_results(run).outcomes
    one, other = (outcomes.methods.index(found.table.loc[0, name]) for name in ("method", "against"))
    by_fold = fold_scores(outcomes, "uar")[:, :, outcomes.clean]
    assert found.table.loc[0, "d_z"] == pytest.approx(paired_effect(by_fold[:, one] - by_fold[:, other]))
    assert found.table["p_improvement"].between(0, 1).all()
    assert "folds share training clips, so it is too large" in found.markdown
