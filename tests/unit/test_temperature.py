"""One temperature per network: its closed form, and what it may not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from harness.metrics.nll import negative_log_likelihood
from harness.stats.temperature import BOUNDS, cooled, fit_temperature


def drawn(seed: int, clips: int = 400, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from the softmax of the logits, which is what calibrated means."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=2, size=(clips, classes))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(classes, p=row) for row in chances])
    return logits.astype(np.float32), labels


@pytest.mark.parametrize(("gap", "right"), [(3.0, 0.75), (0.5, 0.9), (4.0, 0.55)])
def test_two_classes_with_one_gap_have_a_closed_form(gap, right):
    """Every clip is sure by the same gap and a share is right: sigmoid(gap / T) must be that share."""
    clips = 400
    logits = np.tile(np.array([gap, 0.0]), (clips, 1))
    labels = (np.arange(clips) >= round(right * clips)).astype(np.int64)
    assert fit_temperature(logits, labels) == pytest.approx(gap / np.log(right / (1 - right)), rel=1e-6)


def test_two_classes_agree_with_logistic_regression_on_the_gap():
    generator = np.random.default_rng(3)
    gap = generator.normal(scale=3, size=500)
    labels = (generator.uniform(size=500) < 1 / (1 + np.exp(-0.4 * gap))).astype(np.int64)
    logits = np.stack([np.zeros(500), gap], axis=1)
    slope = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(gap[:, None], labels).coef_[0, 0]
    assert fit_temperature(logits, labels) == pytest.approx(1 / slope, rel=1e-4)


def test_no_other_temperature_is_more_likely():
    logits, labels = drawn(4)
    sharp = 2.3 * logits
    found = minimize_scalar(lambda one: negative_log_likelihood(cooled(sharp, one), labels), bounds=BOUNDS)
    assert fit_temperature(sharp, labels) == pytest.approx(found.x, rel=1e-4)


def test_calibrated_logits_want_a_temperature_of_one():
    logits, labels = drawn(0, clips=20_000)
    assert fit_temperature(logits, labels) == pytest.approx(1, abs=0.05)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0.3, 3))
def test_hotter_logits_want_as_much_more_cooling(seed, factor):
    logits, labels = drawn(seed)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor * fit_temperature(logits, labels), rel=1e-5)


def test_logits_that_are_never_or_always_right_stop_at_the_bounds():
    logits = np.eye(3)[np.arange(30) % 3]
    assert fit_temperature(logits, np.arange(30) % 3) == pytest.approx(BOUNDS[0])
    assert fit_temperature(logits, (np.arange(30) + 1) % 3) == pytest.approx(BOUNDS[1])


def test_no_clip_is_an_error():
    with pytest.raises(ValueError, match="no clip"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))


def test_cooling_moves_no_argmax():
    logits, _ = drawn(1)
    np.testing.assert_array_equal(cooled(logits, 2.7).argmax(axis=1), logits.argmax(axis=1))
