"""Ranks are said with their doubt, and letters join exactly the methods that cannot be told apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.ranks import inseparable, rank_intervals, tie_letters


def replicates_around(values, spread, rows=2000, seed=0):
    return np.asarray(values) + np.random.default_rng(seed).normal(scale=spread, size=(rows, len(values)))


def test_far_apart_methods_have_certain_ranks():
    ranks = rank_intervals(replicates_around([0.3, 0.9, 0.6], 0.01))
    assert ranks.low.tolist() == ranks.high.tolist() == [3, 1, 2]
    assert ranks.probability_first.tolist() == [0, 1, 0]


def test_equal_methods_share_the_chance_to_be_first():
    ranks = rank_intervals(replicates_around([0.5, 0.5], 0.01))
    assert ranks.probability_first == pytest.approx([0.5, 0.5], abs=0.05)
    assert (ranks.low == 1).all()
    assert (ranks.high == 2).all()


def test_a_tie_in_a_replicate_splits_the_first_place():
    assert rank_intervals(np.ones((5, 4))).probability_first.tolist() == [0.25] * 4


def test_equal_methods_are_all_told_apart_in_few_studies_only():
    """Max-t: among six equal methods, some pair is wrongly told apart in about 5 % of studies."""
    generator = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        values = generator.normal(scale=0.01, size=6)
        drawn = values + generator.normal(scale=0.01, size=(400, 6))
        wrong += not inseparable(values, drawn).all()
    assert wrong <= 28


def test_methods_that_never_differ_are_inseparable_and_a_constant_gap_separates():
    drawn = np.repeat(np.random.default_rng(0).normal(size=(50, 1)), 3, axis=1) + np.array([0, 0, 1])
    same = inseparable(np.array([0.0, 0.0, 1.0]), drawn)
    assert same.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_one_method_has_a_letter_of_its_own():
    assert tie_letters(np.array([0.5]), inseparable(np.array([0.5]), np.full((10, 1), 0.5))) == ["a"]


def test_a_chain_of_neighbours_gets_overlapping_letters():
    same = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)
    assert tie_letters(np.array([0.9, 0.8, 0.7]), same) == ["a", "ab", "b"]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), methods=st.integers(2, 7))
def test_two_methods_share_a_letter_exactly_if_they_cannot_be_told_apart(seed, methods):
    generator = np.random.default_rng(seed)
    upper = np.triu(generator.random((methods, methods)) < 0.5, 1)
    same = upper | upper.T | np.eye(methods, dtype=bool)
    letters = tie_letters(generator.random(methods), same)
    for one in range(methods):
        for other in range(methods):
            assert bool(set(letters[one]) & set(letters[other])) == same[one, other]
