"""Calibration before and after temperature scaling: the metric files' numbers, with honest intervals."""

import os

import numpy as np
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate

from harness import plugins
from harness.metrics._probabilities import probabilities
from harness.report.calibration_table import calibrated
from harness.report.metrics_table import metrics_table
from harness.report.study_results import read_results
from harness.stats.calibration import CALIBRATION_METRICS, JudgedTrial, calibration
from harness.stats.kept_metrics import kept_file, metrics_of, trial_temperatures
from harness.stats.score import SCALED
from harness.stats.temperature import cooled
from harness.tables.schema import CALIBRATION, predictions
from harness.tables.store import read, to_arrow, write


def network(seed: int, sharpness: float = 2.0, clips: int = 600, fold: int = 1) -> JudgedTrial:
    """Labels are drawn from the softmax of logits that are then sharpened: the right temperature is the sharpness."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=1.5, size=(clips, 7))
    labels = (probabilities(logits).cumsum(axis=1) < generator.uniform(size=(clips, 1))).sum(axis=1)
    return JudgedTrial(method="m", fold=fold, logits=sharpness * logits, labels=labels, temperature=sharpness)


@pytest.mark.parametrize("metric", CALIBRATION_METRICS)
def test_the_points_are_the_metric_files_means_over_trials(metric):
    trials = [network(0), network(1, sharpness=3.0)]
    row = next(row for row in calibration(trials, 50, 0) if row.metric == metric)
    compute = plugins.load("metric", metric).compute
    assert row.trained.point == pytest.approx(np.mean([compute(one.logits, one.labels) for one in trials]), rel=1e-5)
    scaled = [compute(cooled(one.logits, one.temperature), one.labels) for one in trials]
    assert row.scaled.point == pytest.approx(np.mean(scaled), rel=1e-5)
    assert row.temperature == pytest.approx(2.5)
    assert row.trained.n == 600


def test_the_right_temperature_calibrates_and_the_intervals_show_it():
    rows = {row.metric: row for row in calibration([network(2, clips=2000)], 300, 0)}
    for metric in ("ece", "nll", "brier"):
        assert rows[metric].scaled.high < rows[metric].trained.low, metric


def test_the_spread_of_a_mean_loss_is_that_of_the_clips():
    one = network(3)
    row = next(row for row in calibration([one], 4000, 0) if row.metric == "brier")
    loss = ((probabilities(one.logits) - np.eye(7)[one.labels]) ** 2).sum(axis=1)
    variance = sum(loss[one.labels == k].var() * (one.labels == k).sum() for k in range(7)) / len(loss) ** 2
    assert (row.trained.high - row.trained.low) / 2 == pytest.approx(1.96 * np.sqrt(variance), rel=0.06)


def test_intervals_of_the_calibration_error_hold_the_truth_about_as_often_as_they_say():
    truth = next(row for row in calibration([network(10**6, clips=60_000)], 1, 0) if row.metric == "ece").trained.point
    held = 0
    for seed in range(30):
        row = next(row for row in calibration([network(seed, clips=500)], 200, seed) if row.metric == "ece")
        held += row.trained.low <= truth <= row.trained.high
    assert held >= 25


def test_networks_of_a_fold_are_judged_on_the_same_resampled_clips():
    one = network(4)
    other = JudgedTrial(method="same", fold=1, logits=one.logits, labels=one.labels, temperature=one.temperature)
    first, second = (calibration([trial], 100, 0) for trial in (one, other))
    assert [row[2:] for row in first] == [row[2:] for row in second]


@pytest.fixture
def run(tmp_path):
    return fabricate(tmp_path, Fabrication(folds=(1,), clips=60, severities=(3,), perturbations=("gaussian_noise",)))


def test_scores_after_scaling_are_in_the_metrics_table_under_every_condition(run):
    metrics = metrics_table(read_results(run))
    test = metrics[metrics["split"] == "test"]
    for name in SCALED:
        assert (test["metric"] == name).sum() == (test["metric"] == f"{name}_scaled").sum() > 0
    assert (metrics["metric"] == "temperature").sum() == 3
    unit = run.unit(metrics["trial_id"].iloc[0])
    value = metrics[(metrics["metric"] == "temperature") & (metrics["trial_id"] == unit.folder.name)]["value"].iloc[0]
    assert value == trial_temperatures(unit.predictions("val"), CLASSES)["validation"]


def test_kept_metrics_are_scored_anew_when_what_they_were_made_of_is_another_file_and_no_clock_is_asked(run):
    metrics_table(read_results(run))
    unit = run.unit(read_results(run).confirmed["trial_id"].iloc[0])
    (test,), val = unit.test_predictions("1"), unit.predictions("val")
    told, made = metrics_of(test, CLASSES, val), kept_file(test).stat().st_mtime_ns
    for path in (test, val):  # as a copy on another machine has it, whose clock is ahead
        os.utime(path, (4 * 10**9, 4 * 10**9))
    metrics_of(test, CLASSES, val)
    assert kept_file(test).stat().st_mtime_ns == made
    rows = read(val, predictions(len(CLASSES)))
    rows["logits"] = [2 * logits for logits in rows["logits"]]
    write(rows, predictions(len(CLASSES)), val)
    os.utime(val, (1, 1))
    again = metrics_of(test, CLASSES, val)
    scaled = told["metric"].str.endswith("_scaled")
    assert not np.array_equal(again[scaled]["value"], told[scaled]["value"])
    assert np.array_equal(again[~scaled]["value"], told[~scaled]["value"])


def test_the_calibration_table_is_the_mean_of_the_metrics_table(run):
    results = read_results(run)
    metrics, table = metrics_table(results), calibrated(results, replicates=20).table
    to_arrow(table, CALIBRATION)
    clean = metrics[(metrics["split"] == "test") & (metrics["perturbation"] == "clean")]
    clean = clean.merge(results.confirmed[["trial_id", "method"]], on="trial_id")
    for row in table.to_dict("records"):
        own = clean[clean["method"] == row["method"]].set_index("metric")["value"]
        assert row["value"] == pytest.approx(own[row["metric"]], rel=1e-5)
        assert row["scaled"] == pytest.approx(own[f"{row['metric']}_scaled"], rel=1e-5)


def test_without_validation_predictions_nothing_is_scaled(run):
    for path in run.units.glob("*/predictions-val.parquet"):
        path.unlink()
    metrics = metrics_table(read_results(run))
    assert not metrics["metric"].str.endswith("_scaled").any()
    assert "temperature" not in set(metrics["metric"])
    assert calibrated(read_results(run), replicates=20).table.empty
