"""Ranks are compared over data sets, five or more, and over nothing else."""

import json

import numpy as np
import pytest
from fabricated_run import Fabrication, fabricate
from scipy.stats import friedmanchisquare

from harness.errors import HarnessError
from harness.report.across import Ranking, across
from harness.report.across_page import across_markdown, answer_across, write_across
from harness.report.figures.critical_difference import tied_spans
from harness.report.leaderboard import Scoped
from harness.stats.ranking_tests import RankTest

METHODS = ("hdf", "x3d", "resnet18_lstm")


def study(folder, number, seeds=(0, 1, 2), skills=(1.8, 1.4, 0.7)):
    """A data set of its own, whose methods are a little better or worse than on the others."""
    moved = [skill + 0.1 * ((number * (3 + place)) % 4) for place, skill in enumerate(skills)]
    made = Fabrication(
        skills=dict(zip(METHODS, moved, strict=True)), clips=40, perturbations=(), folds=(1,), seeds=seeds
    )
    run = fabricate(folder / str(number), made, study=f"study{number}")
    dataset = json.loads(run.dataset_file.read_text())
    run.dataset_file.write_text(json.dumps(dataset | {"fingerprint": f"data{number}", "title": f"Data set {number}"}))
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [study(folder, number) for number in range(5)]


@pytest.fixture(scope="module")
def found(runs):
    return across(runs, replicates=50)


def test_five_data_sets_are_ranked_as_scipy_ranks_them(found):
    values = np.stack([block.scored.values for block in found.blocks])
    reference = friedmanchisquare(*values.T)
    assert found.ranking.test.chi_square == pytest.approx(reference.statistic)
    assert found.ranking.test.p_value == pytest.approx(reference.pvalue)
    assert found.ranking.ranks.argmax() == 2


def test_four_data_sets_are_not_ranked_and_the_reason_is_given(runs):
    four = across(runs[:4], replicates=50)
    assert four.ranking is None
    text = across_markdown(four)
    assert "need 5 or more" in text
    assert "Folds and perturbed conditions are no substitutes" in text
    assert "not tested" in text


def test_one_data_set_twice_is_no_second_block(runs):
    with pytest.raises(HarnessError, match="one data set"):
        across([runs[0], runs[0]], replicates=10)
    with pytest.raises(HarnessError, match="two or more data sets"):
        across(runs[:1], replicates=10)


def test_a_study_without_perturbations_has_no_perturbed_score(runs):
    with pytest.raises(HarnessError, match="not tested under any"):
        across(runs[:2], scope="perturbed", replicates=10)


def test_a_seeds_score_is_that_of_its_clips(found):
    """One fold: the mean over seeds of each seed's UAR is the UAR of the board."""
    for block in found.blocks:
        np.testing.assert_allclose(block.by_seed.mean(axis=1), block.scored.values)


def test_probabilities_of_improvement_of_both_directions_sum_to_one(found):
    chances = found.improvement
    np.testing.assert_allclose(chances + chances.T, 1)
    assert chances[0, 2] == 1.0
    assert len(found.middle_means) == 3


def test_single_seeds_have_no_profile_and_say_so(tmp_path):
    pair = across([study(tmp_path, number, seeds=(0,)) for number in range(2)], replicates=10)
    assert pair.runs is None
    assert any(note.startswith("1 seed: probabilities of improvement") for note in pair.notes)


def test_the_rounding_of_sums_is_no_win(runs, monkeypatch):
    """Two methods at .5, the one by a sum that rounds to just below it."""
    monkeypatch.setattr("harness.report.across.analyse", lambda part, _: Rounded(part))
    found = across(runs[:3], replicates=10)
    pair = found.wins.set_index(["method", "against"]).loc[("hdf", "x3d")]
    assert (pair["higher"], pair["lower"], pair["same"]) == (0, 0, 3)
    assert answer_across(found).startswith("hdf and x3d each have the highest UAR, alone or with others, on 3 of 3")
    ranks = across(runs, replicates=10).ranking.ranks
    assert ranks[0] == ranks[1] == 1.5


class Rounded:
    """What ``analyse`` finds where the sums of two equal scores are rounded otherwise."""

    def __init__(self, part):
        values = np.array([0.5, 0.49999999999999994, 0.4])
        self.scoped = {("clean", "uar"): Scoped(values, np.tile(values, (10, 1)))}


def test_the_page_is_whole_and_asks_for_nothing(found, tmp_path):
    path = write_across(found, tmp_path)
    text = path.read_text()
    assert "Mean ranks over data sets" in text
    assert "src=" not in text
    assert "@import" not in text
    table = (tmp_path / "across.csv").read_text().splitlines()
    assert table[0].startswith("dataset,fingerprint,method,scope,uar,low,high")
    assert len(table) == 1 + 5 * 3


def test_bars_join_the_longest_runs_that_the_critical_difference_does_not_part():
    nothing = RankTest(0.0, 1.0, 0.0, 1.0)
    ranks = np.array([1.0, 1.8, 2.6, 4.6])
    ranking = Ranking(ranks, nothing, 1.0, np.eye(4, dtype=bool), None)
    assert tied_spans(ranking) == [(0, 1), (1, 2)]
    assert tied_spans(ranking._replace(critical_difference=2.0)) == [(0, 2), (2, 3)]
    assert tied_spans(ranking._replace(critical_difference=0.1)) == []
