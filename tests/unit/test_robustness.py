"""Robustness measures keep the identities that define them, and weigh families as said."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.aggregate import scopes
from harness.stats.bootstrap import Resampling
from harness.stats.consistency import flips, resisted
from harness.stats.outcomes import FoldOutcomes, Outcomes, Run
from harness.stats.robustness import Robustness
from harness.stats.suite import Suite, SuiteCondition, read_suite


def entry(name, severity, family, preserving="yes"):
    condition = Condition(perturbation=name, severity=severity)
    return SuiteCondition(condition=condition, family=family, label_preserving=preserving, title=name)


SUITE = Suite(
    version="1",
    conditions=(
        entry("fog", 1, "weather"),
        entry("fog", 5, "weather"),
        entry("rain", 3, "weather"),
        entry("blur", 2, "blur"),
        entry("shuffle", 3, "order", "order"),
    ),
)
CONDITIONS = [CLEAN_CONDITION, *(one.condition for one in SUITE.conditions)]
SCORES = np.array([[0.8, 0.7, 0.5, 0.6, 0.4, 0.3], [0.6, 0.6, 0.6, 0.6, 0.6, 0.6]])


def test_families_are_averaged_before_they_are_averaged_together():
    assert Robustness(SCORES, CONDITIONS, SUITE).mean()[0] == pytest.approx(((0.7 + 0.5 + 0.6) / 3 + 0.4) / 2)


def test_order_destroying_conditions_are_no_part_of_robustness():
    changed = SCORES.copy()
    changed[:, -1] = 0
    before, after = (Robustness(scores, CONDITIONS, SUITE) for scores in (SCORES, changed))
    for measure in (
        "mean",
        "relative",
        "absolute",
        "worst_family",
        "worst_condition",
        "worst_tail",
        "area_under_severity",
    ):
        np.testing.assert_array_equal(getattr(before, measure)(), getattr(after, measure)())
    assert scopes(SCORES, CONDITIONS, SUITE)["order"].tolist() == [0.3, 0.6]


def test_every_scope_is_offered():
    named = scopes(SCORES, CONDITIONS, SUITE)
    assert set(named) == {
        "clean", "perturbed", "order", "family:weather", "family:blur", "family:order",
        "fog-1", "fog-5", "rain-3", "blur-2", "shuffle-3",
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_measures_keep_their_identities(seed):
    scores = np.random.default_rng(seed).uniform(0.2, 0.9, size=(3, 2, 6))
    measures = Robustness(scores, CONDITIONS, SUITE)
    np.testing.assert_allclose(measures.relative() * measures.clean, measures.mean())
    np.testing.assert_allclose(measures.retention(0.0), measures.relative())
    np.testing.assert_allclose(measures.absolute(), 1 - (measures.clean - measures.mean()))
    assert (measures.worst_condition() <= measures.worst_tail(0.5) + 1e-12).all()
    assert (measures.worst_family() <= measures.mean() + 1e-12).all()
    np.testing.assert_allclose(measures.worst_tail(1.0), scores[..., 1:5].mean(axis=-1))
    np.testing.assert_allclose(measures.corruption_error(0)[:, 0], 1)


def test_a_method_that_perturbation_cannot_touch_retains_everything():
    measures = Robustness(SCORES, CONDITIONS, SUITE)
    assert measures.relative()[1] == measures.absolute()[1] == measures.retention(1 / 7)[1] == pytest.approx(1)
    assert measures.area_under_severity()[1] == pytest.approx(0.6)


def test_guessing_under_perturbation_retains_nothing():
    scores = np.array([[0.8, 0.2, 0.2, 0.2, 0.2, 0.2]])
    assert Robustness(scores, CONDITIONS, SUITE).retention(0.2)[0] == pytest.approx(0)


def test_the_corruption_error_is_hendrycks_formula():
    reference, other = 1 - SCORES[1], 1 - SCORES[0]
    expected = np.mean(
        [(other[1] + other[2]) / (reference[1] + reference[2]), other[3] / reference[3], other[4] / reference[4]]
    )
    assert Robustness(SCORES, CONDITIONS, SUITE).corruption_error(1)[0] == pytest.approx(expected)


def test_the_area_is_the_trapezoid_from_clean_to_the_last_severity():
    fog = (0.5 * (0.8 + 0.7) * 1 + 0.5 * (0.7 + 0.5) * 4) / 5
    rain, blur = 0.5 * (0.8 + 0.6), 0.5 * (0.8 + 0.4)
    area = Robustness(SCORES, CONDITIONS, SUITE).area_under_severity()[0]
    assert area == pytest.approx(((fog + rain) / 2 + blur) / 2)


def consistency_outcomes():
    labels = np.array([0, 0, 1, 1])
    predicted = np.array([[[[0, 1, 1, 0]], [[0, 0, 0, 0]]]], dtype=np.int8)
    ids = np.array(list("pqrs"), dtype=object)
    run = Run(method="a", fold=1, seed=0, trial_id="a")
    fold = FoldOutcomes(fold=1, runs=(run,), clip_ids=ids, groups=ids, labels=labels, predicted=predicted)
    fog = Condition(perturbation="fog", severity=3)
    return Outcomes(classes=("x", "y"), methods=("a",), conditions=(CLEAN_CONDITION, fog), folds=(fold,))


def test_flips_count_changes_right_or_wrong():
    scores = flips(consistency_outcomes(), Resampling(replicates=5))
    assert scores.values["war"][0].tolist() == [0, 0.5]
    assert scores.values["uar"][0].tolist() == [0, 0.5]


def test_resisted_is_the_share_of_right_clips_that_stay_right():
    scores = resisted(consistency_outcomes(), Resampling(replicates=5))
    assert scores.values["war"][0].tolist() == [1, 0.5]


def test_nothing_is_divided_by_nothing():
    perfect = np.array([[1.0, 1, 1, 1, 1, 1], [0.5, 0.4, 0.3, 0.2, 0.1, 0]])
    measures = Robustness(perfect, CONDITIONS, SUITE)
    assert np.isnan(measures.corruption_error(0)).all()
    assert np.isnan(measures.relative_corruption_error(0)).all()
    assert np.isfinite(measures.relative_corruption_error(1)).all()
    assert np.isnan(Robustness(np.zeros((1, 6)), CONDITIONS, SUITE).relative()).all()
    wrong = consistency_outcomes()
    never = replace(wrong.folds[0], predicted=1 - np.tile(wrong.folds[0].labels.astype(np.int8), (1, 2, 1, 1)))
    assert np.isnan(resisted(replace(wrong, folds=(never,)), Resampling(replicates=5)).values["war"]).all()


def test_a_suite_file_that_lacks_a_key_is_named(tmp_path):
    path = tmp_path / "suite.json"
    path.write_text('{"version": "1", "conditions": [{"perturbation": "fog"}]}')
    with pytest.raises(HarnessError, match=r"suite\.json is not a suite file"):
        read_suite(path)
    with pytest.raises(HarnessError, match=r"no missing\.json"):
        read_suite(tmp_path / "missing.json")
