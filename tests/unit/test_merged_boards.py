"""Runs and entries on one board: merged on what they share, each name meaning one thing."""

import json
import re

import numpy as np
import pytest
from fabricated_run import Fabrication, fabricate

from harness.errors import HarnessError
from harness.report.entry import export_entry, run_or_entry
from harness.report.findings import analyse
from harness.report.leaderboard import csv
from harness.report.merge import merge_leaderboards, merged
from harness.report.study_results import read_results

SMALL = Fabrication(clips=40, severities=(3,), perturbations=("contrast", "global_shuffle"))
OTHER = Fabrication(skills={"m3dfel": 1.5}, clips=40, severities=(3,), perturbations=("contrast", "global_shuffle"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("runs"), SMALL)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("others"), OTHER, study="elsewhere")


def board(*runs):
    return analyse(merged([read_results(run) for run in runs]), 20).leaderboard


def test_runs_of_one_data_set_share_a_board(run, other, tmp_path):
    made = merge_leaderboards([run, other], tmp_path, replicates=50)
    assert set(made.leaderboard["method"]) == {"hdf", "x3d", "resnet18_lstm", "m3dfel"}
    assert "How do the methods of fabricated, elsewhere compare?" in made.html_path.read_text()
    assert made.md_path.read_text() == made.markdown
    assert made.csv_path.read_text() == csv(made.leaderboard)
    text = made.tex_path.read_text()
    assert text.count(r"\\") == 5
    assert r"resnet18\_lstm" in text
    assert {r"\toprule", r"\midrule", r"\bottomrule"} <= set(text.splitlines())
    assert r"\textbf{" in text


def test_methods_of_two_runs_of_one_studys_name_are_told_apart_in_any_order(run, tmp_path):
    weaker = Fabrication(
        skills=dict(SMALL.skills) | {"hdf": 0.3}, clips=40, severities=(3,), perturbations=SMALL.perturbations
    )
    again = fabricate(tmp_path / "again", weaker, study=run.study)
    entry = export_entry(again, "hdf", tmp_path / "entry")
    parts = [read_results(one) for one in (run, again, run_or_entry(entry))]
    boards = [merged(order) for order in (parts, parts[::-1])]
    names = [name for name in boards[0].outcomes.methods if name.startswith("hdf")]
    assert [name for name in names if re.fullmatch(r"hdf \(fabricated, [0-9a-f]{6}\)", name)] == names
    assert len(set(names)) == 2
    assert set(boards[1].outcomes.methods) == set(boards[0].outcomes.methods) == {*names, "x3d", "resnet18_lstm"}
    assert all(one.outcomes.num_runs(name) == len(SMALL.folds) for one in boards for name in names)
    for one in boards:
        uar = analyse(one, 20).leaderboard.set_index("method")["uar_clean"]
        told = next(note for note in one.outcomes.notes if str(run.root) in note)
        strong = next(name for name in names if name in told)
        assert uar[strong] == max(uar[names]) > min(uar[names])


def test_a_board_of_robustness_is_ranked_tied_and_described_by_the_mean_under_perturbation(run, other, tmp_path):
    clean, made = (merge_leaderboards([run, other], tmp_path / by, 50, by) for by in ("clean", "perturbed"))
    frame = made.leaderboard
    assert list(frame["uar_perturbed"]) == sorted(frame["uar_perturbed"], reverse=True)
    assert list(frame["rank"]) == [1, 2, 3, 4]
    scores = analyse(merged([read_results(run), read_results(other)]), 50).scores_table
    own = scores[(scores["scope"] == "perturbed") & (scores["metric"] == "uar")].set_index("method")
    np.testing.assert_array_equal(frame["rank_high"], own.loc[frame["method"], "rank_high"])
    assert "ranked by mean UAR under label-preserving perturbations" in made.markdown
    assert "cannot be told apart by their mean UAR under" in made.html_path.read_text()
    assert "ranked by UAR on clean clips" in clean.markdown
    numbers = [name for name in frame if name.startswith(("uar", "war"))]
    aligned = clean.leaderboard.set_index("method").loc[frame["method"], numbers]
    np.testing.assert_array_equal(aligned, frame[numbers])


def test_a_board_cannot_be_ranked_by_what_was_not_tested(tmp_path):
    untested = fabricate(tmp_path / "runs", Fabrication(clips=40, perturbations=()))
    with pytest.raises(HarnessError, match="share no label-preserving perturbation"):
        merge_leaderboards([untested], tmp_path / "board", 20, "perturbed")


def test_merging_moves_no_score(run, other):
    alone, together = board(run).set_index("method"), board(run, other).set_index("method")
    columns = [name for name in alone if name.startswith(("uar", "war"))]
    np.testing.assert_array_equal(alone[columns], together.loc[alone.index, columns])


def test_a_trial_that_two_studies_share_is_shown_once(run):
    twice = board(run, run)
    assert sorted(twice["method"]) == ["hdf", "resnet18_lstm", "x3d"]
    assert set(twice["num_runs"]) == {2}


def test_a_name_that_means_two_things_is_shown_with_its_study(run, tmp_path):
    skills = {"hdf": 0.2}
    again = fabricate(
        tmp_path / "again",
        Fabrication(skills=skills, clips=40, severities=(3,), perturbations=("contrast", "global_shuffle")),
        study="weak",
    )
    assert {"hdf (fabricated)", "hdf (weak)", "x3d"} <= set(board(run, again)["method"])


def test_different_data_or_suites_are_refused(run, other, tmp_path):
    dataset = json.loads(other.dataset_file.read_text())
    stranger = fabricate(tmp_path / "s", OTHER, study="stranger")
    stranger.dataset_file.write_text(json.dumps(dataset | {"fingerprint": "beef"}))
    with pytest.raises(HarnessError, match="differ in their data set"):
        merge_leaderboards([run, stranger], tmp_path)
    with pytest.raises(HarnessError, match="at least one run"):
        merge_leaderboards([], tmp_path)


def test_an_entry_can_be_merged_like_a_run(run, other, tmp_path):
    entry = export_entry(run, "hdf", tmp_path / "entry")
    assert set(board(run_or_entry(entry), other)["method"]) == {"hdf", "m3dfel"}
