"""A report is made from stored tables alone, the same bytes every time, and says what it rests on."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from fabricated_run import Fabrication, fabricate

from harness.cli.arguments import RUNS, file_of, runs_of
from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.build import build
from harness.report.export import export_tables
from harness.report.figures.epoch_curves import draw_epoch_curves
from harness.report.metrics_table import metrics_table
from harness.report.sections.selection import EpochCurve, MethodCurves
from harness.report.study_results import read_results
from harness.tables.schema import METRICS, SCORES, TRIALS
from harness.tables.store import read, write

SMALL = Fabrication(clips=60, severities=(1, 5), perturbations=("contrast", "global_shuffle"))

TINY = Fabrication(clips=30, perturbations=())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    run = fabricate(tmp_path_factory.mktemp("runs"), SMALL)
    return run, build(run, replicates=300)


class Page(HTMLParser):
    """Collects what a page asks for from elsewhere, its ids, and unclosed elements."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link", "path", "use", "rect"})

    def __init__(self):
        super().__init__()
        self.outside, self.ids, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.outside += [values[name] for name in ("src", "href", "xlink:href") if name in values and name != "href"]
        if tag == "link" or (tag != "a" and "href" in values):
            self.outside.append(values["href"])
        self.ids += [values["id"]] if "id" in values else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def parsed(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_the_page_asks_for_nothing_from_elsewhere(built):
    page = parsed(built[1].html_path)
    assert all(address.startswith("#") for address in page.outside)
    assert "@import" not in built[1].html_path.read_text()
    assert not re.search(r"url\((?!#)", built[1].html_path.read_text())


def test_the_page_is_well_formed_and_every_id_is_unique(built):
    page = parsed(built[1].html_path)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_every_reference_inside_the_page_leads_somewhere(built):
    text = built[1].html_path.read_text()
    wanted = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    assert wanted <= set(parsed(built[1].html_path).ids)


def test_building_again_gives_the_same_bytes(built):
    run, first = built
    before = {path: path.read_bytes() for path in (first.html_path, first.csv_path, first.md_path)}
    shutil.rmtree(run.folder / "tables" / "unrelated", ignore_errors=True)
    again = build(run, replicates=300)
    assert {path: path.read_bytes() for path in (again.html_path, again.csv_path, again.md_path)} == before


def test_the_tables_are_written_in_their_schemas(built):
    run, outputs = built
    metrics, scores = read(run.table("metrics"), METRICS), read(run.table("scores"), SCORES)
    assert metrics["trial_id"].nunique() == 6
    clean = scores[(scores["scope"] == "clean") & (scores["metric"] == "uar")].set_index("method")["value"]
    board = outputs.leaderboard.set_index("method")["uar_clean"]
    pd.testing.assert_series_equal(clean.sort_index(), board.sort_index(), check_names=False)
    assert (scores["low"] <= scores["value"]).all()
    assert (scores["value"] <= scores["high"]).all()


def test_the_leaderboards_numbers_are_those_of_the_metrics_table(built):
    """With equal class counts in all folds, pooled WAR is the mean over folds of the stored metric."""
    run, outputs = built
    metrics, trials = read(run.table("metrics"), METRICS), read(run.table("trials"), TRIALS)
    rows = metrics[(metrics["metric"] == "war") & (metrics["perturbation"] == "clean") & (metrics["class"] == "")]
    means = rows.merge(trials[["trial_id", "method"]]).groupby("method")["value"].mean()
    board = outputs.leaderboard.set_index("method")["war_clean"]
    np.testing.assert_allclose(board.loc[means.index], means)


def test_rows_are_ordered_by_rank_and_the_strongest_method_leads(built):
    board = built[1].leaderboard
    assert board["rank"].tolist() == sorted(board["rank"])
    assert board["method"].iloc[-1] == "resnet18_lstm"
    assert (board["rank_low"] <= board["rank"]).all()


def test_one_seed_is_a_caution_and_three_are_not(built, tmp_path):
    assert "1 seed per method and fold: the intervals cover the choice of test clips only" in built[1].markdown
    three = Fabrication(clips=40, severities=(3,), perturbations=("contrast",), seeds=(0, 1, 2), folds=(1,))
    text = build(fabricate(tmp_path, three), replicates=50).markdown
    assert "seed per method" not in text
    assert "over clips and seeds" in text


def test_metrics_already_scored_are_kept_and_stale_ones_are_scored_anew(built):
    run, _ = built
    results = read_results(run)
    kept = sorted(run.units.glob("*/metrics-test-*.parquet"))
    assert len(kept) == 6
    before = kept[0].stat().st_mtime_ns
    metrics_table(results)
    assert kept[0].stat().st_mtime_ns == before
    stale = read(kept[0], METRICS)
    write(stale[stale["metric"] != "war"], METRICS, kept[0])
    metrics_table(results)
    assert "war" in set(read(kept[0], METRICS)["metric"])


def test_a_failed_trial_is_reported_with_its_reason(tmp_path):
    run = fabricate(tmp_path, TINY)
    trials = read(run.table("trials"), TRIALS)
    trials = trials.astype({"status": object, "error": object})
    lost = (trials["method"] == "x3d") & (trials["fold"] == 2)
    trials.loc[lost, ["status", "error"]] = ["failed", "Traceback\nValueError: out of clips"]
    write(trials, TRIALS, run.table("trials"))
    outputs = build(run, replicates=20)
    assert "x3d, fold 2, seed 0 is failed: ValueError: out of clips." in outputs.markdown
    assert "Fold 2 is left out: it is missing for x3d." in outputs.markdown
    assert "5/6 trials" in " ".join(outputs.html_path.read_text().split())


def test_other_studies_conditions_in_a_shared_trial_are_not_shown(tmp_path):
    run = fabricate(tmp_path, SMALL)
    suite = json.loads(run.suite_file.read_text())
    suite["conditions"] = [one for one in suite["conditions"] if one["perturbation"] != "contrast"]
    run.suite_file.write_text(json.dumps(suite))
    assert "contrast" not in set(metrics_table(read_results(run))["perturbation"])


def test_text_from_a_study_is_escaped(tmp_path):
    run = fabricate(tmp_path, Fabrication(clips=30, perturbations=(), folds=(1,)))
    run.study_file.write_text("name: x\nquestion: Is <b>a</b> & b better?\n")
    page = build(run, replicates=20).html_path.read_text()
    assert "Is &lt;b&gt;a&lt;/b&gt; &amp; b better?" in page
    assert "<b>a</b>" not in page


def test_what_reproduces_a_run_is_a_command_that_finds_its_study_and_its_results(built, monkeypatch):
    run, outputs = built
    folder = f"{run.root.name}/fabricated"
    said = f"dferbench run {folder} (in the folder that {run.root.name} lies in; "
    assert said in outputs.html_path.read_text()
    monkeypatch.chdir(run.root.parent)
    assert file_of(folder) == run.study_file
    assert runs_of(folder, RUNS) == run.root


def test_a_loss_has_the_sign_that_the_text_above_the_table_says(built):
    run, outputs = built
    section = outputs.html_path.read_text().split('<section id="perturbations">')[1].split("</section>")[0]
    assert "Change of UAR against clean clips in points" in section
    scores = read(run.table("scores"), SCORES)
    scores = scores[(scores["metric"] == "uar") & (scores["method"] == "hdf")].set_index("scope")["value"]
    change = 100 * (scores[["contrast-1", "contrast-5"]].mean() - scores["clean"])
    assert change < -1
    row = section.split('<th scope="row">Contrast</th>')[1]
    assert f"<b>{change:.1f}</b>".replace("-", "\N{MINUS SIGN}") in row.split("</td>")[1]


def test_a_figure_of_the_selection_says_that_it_is_a_mean_of_trainings():
    curve = EpochCurve(fold=1, seed=0, epochs=[1, 2], scores=[50.0, 53.7], chosen=1)
    drawn = draw_epoch_curves(MethodCurves("hdf", [curve]), 0, "UAR", (40.0, 60.0))
    assert "best on test: +3.7 points on average" in drawn


def test_a_run_that_was_never_started_is_one_clear_error(tmp_path):
    run = fabricate(tmp_path, Fabrication(clips=30, perturbations=(), folds=(1,)))
    run.dataset_file.unlink()
    with pytest.raises(HarnessError, match=r"dataset\.json\. Run the study first"):
        build(run)


def test_curves_that_are_all_one_value_still_get_an_axis():
    from harness.report.figures.severity_curves import SeverityCurve, shared_limits

    for value in (0.0, 50.0, 100.0):
        flat = np.full((1, 2), value)
        low, high = shared_limits([SeverityCurve("fog", "Fog", False, [0.0, 1.0], ("a",), flat, flat, flat)], value)
        assert 0 <= low <= value <= high <= 100
        assert high - low == 10


def test_tables_are_exported_with_every_row_and_digit(built, tmp_path):
    run, _ = built
    paths = export_tables(run, tmp_path)
    assert [path.name for path in paths] == [
        "trials.csv", "metrics.csv", "scores.csv", "robustness.csv", "calibration.csv", "fingerprints.csv",
        "recalls.csv", "recalls.tex", "confusions.csv", "cost.csv", "cost.tex", "robustness.tex",
    ]  # fmt: skip
    stored, exported = read(run.table("scores"), SCORES), pd.read_csv(tmp_path / "scores.csv")
    np.testing.assert_array_equal(stored["value"], exported["value"])
    with pytest.raises(HarnessError, match="There is no table"):
        export_tables(RunPaths(tmp_path, "nothing"), tmp_path)


def test_numbers_of_the_literature_are_shown_apart_for_its_data_sets(tmp_path):
    run = fabricate(tmp_path, Fabrication(clips=30, perturbations=(), folds=(1,)))
    dataset = json.loads(run.dataset_file.read_text()) | {"name": "dfew", "num_clips": 11_697}
    run.dataset_file.write_text(json.dumps(dataset))
    outputs = build(run, replicates=20)
    assert "Former-DFER" not in set(outputs.leaderboard["method"])
    assert "not reproduced here" in outputs.markdown
    assert "Former-DFER" in outputs.html_path.read_text()
