"""Reliability diagrams hold what the calibration error is made of."""

import numpy as np
import pytest

from harness.metrics.ece import ece
from harness.report.figures.reliability_diagram import draw_reliability
from harness.report.sections.reliability import bound_notes, reliability
from harness.stats.calibration import JudgedTrial


def judged(size, sharpness=3.0, temperature=1.0, method="hdf", fold=1):
    """Clips whose labels are drawn from the softmax of logits that are then sharpened."""
    draw = np.random.default_rng(size + fold)
    logits = draw.normal(size=(size, 5))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < draw.uniform(size=(size, 1))).sum(axis=1)
    return JudgedTrial(method=method, fold=fold, logits=sharpness * logits, labels=labels, temperature=temperature)


def test_the_weighted_gaps_of_the_bins_are_the_expected_calibration_error():
    trial = judged(600)
    bins = reliability([trial])[0].trained
    gap = np.average(np.abs(bins.accuracy - bins.confidence), weights=bins.clips)
    assert gap == pytest.approx(ece.compute(trial.logits.astype(np.float32), trial.labels), abs=1e-6)


def test_the_right_temperature_brings_the_bins_to_the_diagonal():
    found = reliability([judged(20_000, sharpness=3.0, temperature=3.0)])[0]
    assert np.abs(found.trained.accuracy - found.trained.confidence).max() > 0.15
    assert np.abs(found.scaled.accuracy - found.scaled.confidence).max() < 0.04


def test_each_network_is_scaled_by_its_own_temperature_before_clips_are_pooled():
    pair = [judged(4000, sharpness=3.0, temperature=3.0), judged(4000, sharpness=0.5, temperature=0.5, fold=2)]
    found = reliability(pair)
    assert len(found) == 1
    assert found[0].scaled.clips.sum() == 8000
    assert np.abs(found[0].scaled.accuracy - found[0].scaled.confidence).max() < 0.06


def test_few_clips_make_few_bins():
    assert len(reliability([judged(60)])[0].trained.clips) == 4
    assert len(reliability([judged(1000)])[0].trained.clips) == 15


def test_the_title_says_which_way_a_network_errs():
    assert "too sure by" in draw_reliability(reliability([judged(4000, sharpness=3.0)])[0], 0)
    assert "too unsure by" in draw_reliability(reliability([judged(4000, sharpness=0.3)])[0], 0)
    assert "about as sure as right" in draw_reliability(reliability([judged(40_000, sharpness=1.0)])[0], 0)


def test_a_temperature_at_a_bound_of_the_fit_is_said_to_be_one():
    trials = [judged(60, temperature=heat) for heat in (20.0, 2.0, 20.0)] + [judged(60, method="x3d")]
    assert bound_notes(trials) == {"hdf": "2 of 3 at the fit's bound of 20"}
