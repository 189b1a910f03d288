"""A comparison says what the data support, in points with intervals, and warns where they are weak."""

import numpy as np
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate

from harness.errors import HarnessError
from harness.report.comparison import compare, fold_ratio
from harness.report.comparison_question import Question
from harness.report.comparison_text import verdict
from harness.report.study_results import read_results
from harness.tables.schema import TRIALS, predictions
from harness.tables.store import read, write

FIVE = Fabrication(
    skills={"hdf": 1.6, "x3d": 1.45, "lstm": 0.9, "twin": 1.45},
    folds=(1, 2, 3, 4, 5),
    clips=60,
    perturbations=("contrast",),
    severities=(3,),
    seed_noise=0.0,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("runs"), FIVE)


def rows(comparison):
    return {(row["method"], row["against"]): row for row in comparison.table.to_dict("records")}


def test_without_a_baseline_all_pairs_are_compared_and_with_one_only_its_own(run):
    assert len(compare(run, Question(replicates=200)).table) == 6
    against = compare(run, Question(replicates=200, baseline="x3d")).table
    assert set(against["against"]) == {"x3d"}
    assert set(against["method"]) == {"hdf", "lstm", "twin"}


def test_a_large_difference_is_supported_and_a_small_one_is_not(run):
    comparison = compare(run, Question(replicates=1000))
    assert rows(comparison)["hdf", "lstm"]["p_family"] < 0.01
    assert rows(comparison)["x3d", "twin"]["p_family"] > 0.05
    assert "hdf is better than lstm" in comparison.markdown
    assert "x3d and twin cannot be told apart" in comparison.markdown


def test_the_family_wise_interval_is_wider_and_holds_the_difference(run):
    table = compare(run, Question(replicates=1000)).table
    assert (table["low_family"] < table["low"]).all()
    assert (table["high_family"] > table["high"]).all()
    assert ((table["low"] < table["difference"]) & (table["difference"] < table["high"])).all()


def test_against_says_the_opposite_of_method(run):
    first = rows(compare(run, Question(replicates=500, baseline="lstm")))["hdf", "lstm"]
    second = rows(compare(run, Question(replicates=500, baseline="hdf")))["lstm", "hdf"]
    assert first["difference"] == pytest.approx(-second["difference"])
    assert first["low"] == pytest.approx(-second["high"])
    assert first["better"] == pytest.approx(second["worse"])
    assert first["only_method"] == second["only_against"]


def test_five_folds_are_warned_about_with_their_floor(run):
    text = compare(run, Question(replicates=200)).markdown
    assert "no p below 0.0625" in text
    assert "share about 75 % of their clips" in text
    assert "Disgust" in text


def test_the_fold_ratio_is_that_of_five_fold_cross_validation(run):
    assert fold_ratio(read_results(run)) == pytest.approx(0.25)


def test_two_folds_leave_the_corrected_t_test_out(tmp_path):
    two = fabricate(tmp_path, Fabrication(clips=40, perturbations=()))
    comparison = compare(two, Question(replicates=100))
    assert "needs 3 folds" in comparison.markdown
    assert "p_corrected_t" not in comparison.table


def test_several_seeds_leave_out_mcnemar_and_cover_training(tmp_path):
    three = Fabrication(clips=40, perturbations=(), seeds=(0, 1, 2), folds=(1,))
    comparison = compare(fabricate(tmp_path, three), Question(replicates=100))
    assert "McNemar" not in comparison.markdown
    assert "over clips and seeds" in comparison.markdown


def test_a_scope_other_than_clean_can_be_asked_for(run):
    clean = rows(compare(run, Question(replicates=100)))["hdf", "lstm"]["difference"]
    contrast = rows(compare(run, Question(replicates=100, scope="contrast-3")))["hdf", "lstm"]["difference"]
    assert not np.isclose(clean, contrast)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(baseline="hdff"), "Did you mean 'hdf'"),
        (Question(scope="contrast-4", replicates=10), "Did you mean 'contrast-3'"),
        (Question(metric="auc"), "No metric to compare by named 'auc'"),
    ],
)
def test_a_name_that_is_not_known_offers_the_near_miss(run, question, message):
    with pytest.raises(HarnessError, match=message):
        compare(run, question)


def name_one_class(run, *names):
    """Every network of the methods names the fourth class for every clip."""
    trials = read(run.table("trials"), TRIALS)
    for trial_id in trials[trials["method"].isin(names) & (trials["phase"] == "confirm")]["trial_id"]:
        for path in run.unit(trial_id).folder.glob("predictions-*.parquet"):
            frame = read(path, predictions(len(CLASSES)))
            frame["logits"] = [np.eye(len(CLASSES), dtype=np.float32)[3]] * len(frame)
            write(frame, predictions(len(CLASSES)), path)


def test_networks_that_learnt_nothing_are_named_and_not_called_equivalent(tmp_path):
    made = Fabrication(clips=40, perturbations=(), folds=(1, 2, 3), skills={"a": 1.0, "b": 1.1, "c": 1.0})
    collapsed = fabricate(tmp_path, made)
    name_one_class(collapsed, "a", "b")
    comparison = compare(collapsed, Question(replicates=50))
    text = comparison.markdown
    assert "a and b are both at chance: every network of either names one class for all clean clips" in text
    assert "a names every clean clip Angry in 3 of 3 networks: it has learnt nothing there" in text
    assert text.count("names every clean clip") == 2
    assert "equivalent (" not in text.split("| Method")[0]
    assert "-0.0" not in text
    assert rows(comparison)["a", "b"]["p_family"] == 1
    assert "a and c are both" not in text


def test_a_verdict_prints_the_interval_that_it_rests_on():
    """Alone the difference's interval lies below zero; among all comparisons it does not."""
    row = {"method": "a", "against": "b", "difference": -0.118, "low": -0.22, "high": -0.016}
    row |= {"low_family": -0.25, "high_family": 0.014, "p_family": 0.08}
    expected = "a and b cannot be told apart (-11.8 points, family-wise 95 % interval -25.0 to +1.4)."
    assert verdict(row, Question()) == expected
    near = row | {"difference": -1e-17, "low": -0.01, "high": 0.01, "low_family": -0.02, "high_family": 0.02}
    assert "cannot be told apart (0.0 points" in verdict(near, Question(rope=0.015))
    assert "practically equivalent (0.0 points" in verdict(near, Question(rope=0.02))
    still = near | {"low_family": -3e-17, "high_family": 3e-17}
    assert verdict(still, Question()) == "a and b differ by 0.0 points in every resample; nothing varies."
