"""Three rules of selection, side by side: the ranked one unmoved, the optimistic one named as such."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from harness.errors import HarnessError
from harness.report.audited import audited, under_rule
from harness.report.build import build
from harness.report.comparison import compare
from harness.report.comparison_question import Question
from harness.report.findings import analyse
from harness.report.metrics_table import metrics_table
from harness.report.selection import selection_audit
from harness.report.study_results import read_results
from harness.stats.bootstrap import Resampling, bootstrap
from harness.tables.schema import CALIBRATION, METRICS, ROBUSTNESS, SCORES, predictions
from harness.tables.selections import BEST_ON_TEST, LAST, RANKED, RULES
from harness.tables.store import read, write

AUDITED = Fabrication(clips=60, severities=(3,), perturbations=("contrast",), audit=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    run = fabricate(tmp_path_factory.mktemp("runs"), AUDITED)
    return run, build(run, replicates=300)


@pytest.fixture(scope="module")
def results(built):
    return read_results(built[0])


def audit_of(results):
    resampling = Resampling(replicates=300)
    return selection_audit(results, bootstrap(results.outcomes, resampling), resampling)


def test_the_validation_column_is_the_leaderboards_number_and_interval(results):
    findings = analyse(results, 300)
    board = findings.leaderboard.set_index("method")
    for row in findings.selection.rows:
        column = f"{row.metric}_{row.scope}"
        expected = board.loc[row.method, [column, f"{column}_low", f"{column}_high"]]
        np.testing.assert_array_equal(row.scores[0], expected.to_numpy(dtype=float))


def test_the_gap_is_best_on_test_less_validation_and_its_interval_holds_it(results):
    selection = audit_of(results)
    assert len(selection.rows) == 12
    assert {row.scope for row in selection.rows} == {"clean", "perturbed"}
    for row in selection.rows:
        assert row.gap[0] == pytest.approx(row.scores[2][0] - row.scores[0][0])
        assert row.gap[1] <= row.gap[0] <= row.gap[2]
        assert row.gap[0] > 0 > row.scores[1][0] - row.scores[0][0]


def test_the_gap_is_paired_so_it_is_surer_than_either_score(results):
    for row in audit_of(results).rows:
        assert row.gap[2] - row.gap[1] < min(high - low for _, low, high in (row.scores[0], row.scores[2]))


def test_a_method_with_one_unaudited_run_is_not_measured_and_the_others_are(tmp_path):
    run = fabricate(tmp_path, AUDITED)
    results = read_results(run)
    lost = results.confirmed[(results.confirmed["method"] == "x3d") & (results.confirmed["fold"] == 2)]
    for path in results.units[lost["trial_id"].item()].audit_predictions("1"):
        path.unlink()
    found = audited(results)
    assert found.outcomes[LAST].methods == ("hdf", "resnet18_lstm")
    assert "fold 2, seed 0: no test clip was looked at" in found.unmeasured["x3d"]
    page = build(run, replicates=20).html_path.read_text()
    assert "x3d: last epoch and best on test are not measured" in page
    with pytest.raises(HarnessError, match=r"'last' was not measured for x3d"):
        under_rule(results, LAST)


def test_a_run_without_an_audit_says_so_and_shows_no_table(tmp_path):
    outputs = build(fabricate(tmp_path, dataclasses.replace(AUDITED, audit=False)), replicates=20)
    assert "stress.audit is off" in outputs.html_path.read_text()
    assert "Which epoch is kept" not in outputs.markdown


def test_the_audit_moves_no_number_of_the_leaderboard(built, tmp_path):
    plain = build(fabricate(tmp_path, dataclasses.replace(AUDITED, audit=False)), replicates=300)
    assert plain.csv_path.read_text() == built[1].csv_path.read_text()


@pytest.mark.parametrize("table", [SCORES, METRICS, ROBUSTNESS, CALIBRATION], ids=lambda table: table.name)
def test_every_number_exists_under_all_three_rules(built, table):
    found = read(built[0].table(table.name), table)
    named = [name for name in table.key if name != "selection"]
    by_rule = {rule: set(own[named].itertuples(index=False, name=None)) for rule, own in found.groupby("selection")}
    assert set(by_rule) == set(RULES)
    assert by_rule[LAST] == by_rule[BEST_ON_TEST] == by_rule[RANKED]


def test_scores_of_other_epochs_are_scikit_learns_on_their_predictions(built, results):
    scores = read(built[0].table("scores"), SCORES).set_index(["selection", "scope", "metric", "method"])["value"]
    for rule in (LAST, BEST_ON_TEST):
        for method, own in results.confirmed.groupby("method"):
            files = [path for trial in own["trial_id"] for path in results.units[trial].audit_predictions("1")]
            rows = pd.concat([read(path, predictions(len(CLASSES))) for path in files])
            rows = rows[(rows["selection"] == rule) & (rows["perturbation"] == "contrast")]
            named = np.stack(rows["logits"].to_list()).argmax(axis=1)
            expected = balanced_accuracy_score(rows["label"], named), accuracy_score(rows["label"], named)
            found = scores[rule, "contrast-3", "uar", method], scores[rule, "contrast-3", "war", method]
            assert found == pytest.approx(expected)


def test_a_run_whose_other_epochs_saw_clean_clips_alone_keeps_its_clean_audit(tmp_path):
    run = fabricate(tmp_path, AUDITED)
    for unit in read_results(run).units.values():
        (path,) = unit.audit_predictions("1")
        rows = read(path, predictions(len(CLASSES)))
        write(rows[rows["perturbation"] == "clean"], predictions(len(CLASSES)), unit.predictions("audit"))
        path.unlink()
        unit.audit_val_predictions.unlink()
    page = build(run, replicates=20).html_path.read_text()
    assert "1 perturbed condition left out: other epochs were not tested under all conditions" in page
    scores = read(run.table("scores"), SCORES)
    assert set(scores.loc[scores["selection"] == LAST, "scope"]) == {"clean"}
    assert set(read(run.table("calibration"), CALIBRATION)["selection"]) == {RANKED}
    with pytest.raises(HarnessError, match="'perturbed'"):
        compare(run, Question(scope="perturbed:last", replicates=20))


def test_a_better_epoch_shows_in_the_metrics(built):
    metrics = read(built[0].table("metrics"), METRICS)
    clean = metrics[(metrics["metric"] == "war") & (metrics["perturbation"] == "clean") & (metrics["split"] == "test")]
    means = clean.groupby("selection")["value"].mean()
    assert means[BEST_ON_TEST] > means[RANKED] > means[LAST]


def test_calibration_is_that_of_the_ranked_selection_only(results):
    from harness.report.sections.calibration import calibration_rows

    metrics = metrics_table(results)
    ranked = metrics[metrics["selection"] == RANKED]
    assert calibration_rows(results, metrics) == calibration_rows(results, ranked)


def test_a_comparison_by_best_on_test_is_labelled_optimistic(built):
    for scope in ("clean", "perturbed", "family:illumination", "contrast-3"):
        text = compare(built[0], Question(scope=f"{scope}:{BEST_ON_TEST}", replicates=100)).markdown
        assert "Best on test" in text
        assert "optimistic" in text
        assert "optimistic" not in compare(built[0], Question(scope=scope, replicates=100)).markdown
    with pytest.raises(HarnessError, match="selection rule"):
        compare(built[0], Question(scope="clean:oracle", replicates=100))


def test_the_curve_marks_the_first_best_epoch_and_validations_choice(results):
    from harness.report.sections.selection import epoch_curves

    curve = epoch_curves(results)[0].curves[0]
    assert (curve.best, curve.chosen, curve.at(curve.chosen)) == (4, 4, pytest.approx(50.0))
    assert curve.at(99) is None
