"""Differences by class and by condition: the right numbers, and few false discoveries."""

import numpy as np
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate
from scipy import stats

from harness.report.comparison import compare
from harness.report.comparison_question import Question
from harness.report.exploration import exploration_text, explore
from harness.report.study_results import read_results
from harness.stats.bootstrap import Resampling, bootstrap
from harness.stats.class_recall import class_recalls
from harness.stats.exact_tests import sign_flip, wilcoxon
from harness.stats.multiplicity import bootstrap_p, false_discovery

MADE = Fabrication(clips=150, severities=(3,), perturbations=("contrast", "gaussian_noise"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("runs"), MADE)


@pytest.fixture(scope="module")
def outcomes(run):
    return read_results(run).outcomes


def test_recalls_are_the_confusion_matrix_diagonals(outcomes):
    recalls = class_recalls(outcomes, Resampling(replicates=10))
    assert recalls.classes == CLASSES
    for index, method in enumerate(outcomes.methods):
        confusion = outcomes.confusion(method, outcomes.clean)
        np.testing.assert_allclose(recalls.values[index], np.diag(confusion) / confusion.sum(axis=1))


@pytest.mark.parametrize("by_group", [False, True])
def test_the_mean_of_recalls_is_uar_in_every_replicate(outcomes, by_group):
    resampling = Resampling(replicates=50, by_group=by_group)
    recalls, scores = class_recalls(outcomes, resampling), bootstrap(outcomes, resampling)
    uar = scores.replicates["uar"][:, :, outcomes.clean]
    kept = (recalls.replicates > 0).all(axis=2) if by_group else np.ones(uar.shape, dtype=bool)
    assert kept.mean() > 0.5
    np.testing.assert_allclose(recalls.replicates.mean(axis=2)[kept], uar[kept])


def test_the_spread_of_a_recall_is_binomial_within_folds(outcomes):
    recalls = class_recalls(outcomes, Resampling(replicates=4000))
    sad = CLASSES.index("Sad")
    variance = 0.0
    total = outcomes.class_counts[sad]
    for fold in outcomes.folds:
        right = fold.correct[fold.runs_of("x3d")[0], outcomes.clean, 0][fold.labels == sad]
        variance += right.var(ddof=1) * len(right) / total**2
    spread = recalls.replicates[:, outcomes.methods.index("x3d"), sad].std()
    assert spread == pytest.approx(np.sqrt(variance), rel=0.05)


def test_a_bootstrap_p_value_is_the_normal_tail_of_its_distance():
    replicates = np.random.default_rng(0).normal(2.0, 1.0, size=(40_000, 1))
    assert bootstrap_p(np.array([2.0]), replicates)[0] == pytest.approx(2 * stats.norm.sf(2), rel=0.06)
    assert bootstrap_p(np.zeros(1), np.zeros((10, 1)))[0] == 1
    assert bootstrap_p(np.ones(1), np.ones((10, 1)))[0] == 0


def test_p_values_are_adjusted_over_all_pairs_of_a_kind(outcomes):
    resampling = Resampling(replicates=200)
    scores, pairs = bootstrap(outcomes, resampling), [(0, 1), (0, 2), (1, 2)]
    table = explore(outcomes, scores, Question(), pairs, resampling)
    assert table.groupby("kind").size().to_dict() == {"class": 21, "condition": 6}
    own = table[table["kind"] == "condition"]
    columns = [outcomes.conditions.index(one) for one in outcomes.conditions[1:]]
    raw = [
        bootstrap_p(
            scores.values["uar"][one, columns] - scores.values["uar"][other, columns],
            (scores.replicates["uar"][:, one] - scores.replicates["uar"][:, other])[:, columns],
        )
        for one, other in pairs
    ]
    np.testing.assert_allclose(own["p_fdr"], false_discovery(np.concatenate(raw)))
    assert own["cell"].tolist() == ["contrast-3", "gaussian_noise-3"] * 3


def test_equal_methods_give_no_discovery_and_unequal_ones_do(tmp_path):
    same = fabricate(tmp_path / "same", Fabrication(skills={"a": 1.2, "b": 1.2}, clips=150, severities=(3,)))
    text = compare(same, Question(replicates=300)).markdown
    assert "Exploratory, not a test of the question" in text
    assert "0 of 7 by class" in text
    apart = fabricate(tmp_path / "apart", Fabrication(skills={"a": 2.5, "b": 0.5}, clips=150, severities=(3,)))
    assert "| class Happy | a | b | +" in compare(apart, Question(replicates=1000)).markdown


def test_a_long_list_of_discoveries_is_cut_and_counted(outcomes):
    resampling = Resampling(replicates=100)
    table = explore(outcomes, bootstrap(outcomes, resampling), Question(), [(0, 1), (0, 2)], resampling)
    lines = exploration_text(table.assign(p_fdr=0.0).loc[table.index.repeat(3)].reset_index(drop=True), Question())
    assert sum(line.startswith("| c") for line in lines) == 30
    assert lines[-1].strip() == "and 24 more."


def test_many_folds_are_tested_with_drawn_signs():
    differences = np.random.default_rng(1).normal(0, 1, size=24)
    drawn = sign_flip(differences).p_value
    oracle = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=50_000, rng=np.random.default_rng(0)
    )
    assert drawn == pytest.approx(oracle.pvalue, rel=0.05)
    assert sign_flip(np.ones(24)).p_value == pytest.approx(1 / 50_001)


def test_very_many_folds_are_tested_with_the_normal_approximation():
    differences = np.random.default_rng(2).normal(0.3, 1, size=61)
    assert wilcoxon(differences).p_value == pytest.approx(wilcoxon(differences[:60]).p_value, rel=0.5)
    expected = stats.wilcoxon(differences, correction=True, method="asymptotic").pvalue
    assert wilcoxon(differences).p_value == pytest.approx(expected)
