"""Leaderboards of several runs and entries: merged on what they share, published facts apart, nothing unsound in."""

import json
import re

import numpy as np
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate

from harness.errors import CollectedError, HarnessError
from harness.paths import RunPaths
from harness.report.comparison import compare
from harness.report.comparison_question import Question
from harness.report.entry import export_entry, run_or_entry
from harness.report.findings import analyse
from harness.report.latex import bold_methods
from harness.report.leaderboard import Scoped, csv
from harness.report.merge import merge_leaderboards, merged
from harness.report.published import HEADING, published, published_for, published_markdown
from harness.report.study_results import read_results
from harness.report.validation import validate
from harness.tables.schema import predictions
from harness.tables.store import read, write

SMALL = Fabrication(clips=40, severities=(3,), perturbations=("contrast", "global_shuffle"))
OTHER = Fabrication(skills={"m3dfel": 1.5}, clips=40, severities=(3,), perturbations=("contrast", "global_shuffle"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("runs"), SMALL)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("others"), OTHER, study="elsewhere")


@pytest.fixture
def entry(run, tmp_path):
    return export_entry(run, "hdf", tmp_path / "entry", training_augmentations=["flip"])


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


def test_latex_sets_the_best_and_its_ties_in_bold():
    generator = np.random.default_rng(0)
    values = np.array([0.60, 0.59, 0.30])
    shared = generator.normal(scale=0.01, size=(500, 1))
    scoped = Scoped(values, values + shared + generator.normal(scale=0.02, size=(500, 3)))
    assert bold_methods(scoped, ("a", "b", "c")) == {"a", "b"}


def test_no_name_of_a_method_breaks_a_table(tmp_path):
    name = "a|b^2_~{x}<y>"
    made = fabricate(tmp_path, Fabrication(skills={name: 1.5, "x3d": 1.0}, clips=30, perturbations=()), study="s")
    made_board = merge_leaderboards([made], tmp_path / "board", replicates=20)
    assert (
        r"a\textbar{}b\textasciicircum{}2\_\textasciitilde{}\{x\}\textless{}y\textgreater{} &"
        in made_board.tex_path.read_text()
    )
    assert (
        "Bold: the best of a column and every method that these data cannot tell from it"
        in made_board.tex_path.read_text()
    )
    for text in (made_board.markdown, compare(made, Question(replicates=20)).markdown):
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1, table


def test_every_published_number_has_a_source_and_is_a_percentage():
    rows = published()
    assert len(rows) == 173
    assert rows["source"].notna().all()
    assert rows[["UAR", "WAR"]].stack().dropna().between(10, 100).all()


def test_published_numbers_are_of_whole_data_sets_and_carry_no_rank():
    text = published_markdown({"name": "dfew", "num_clips": 11_697})
    assert HEADING in text
    assert "Former-DFER" in text
    assert "Rank" not in text
    assert set(published_for({"name": "dfew", "num_clips": 11_600})["protocol"]) == {"5fd avg"}
    assert published_markdown({"name": "fabricated", "num_clips": 11_697}) == ""
    assert not re.search(r"nan|<NA>", text)


def test_another_data_set_in_a_known_layout_gets_no_published_numbers():
    assert published_markdown({"name": "dfew", "num_clips": 408}) == ""


def test_a_sound_entry_is_accepted_and_its_scores_recomputed(run, entry):
    checked = validate(entry, run)
    assert checked.warnings == ()
    manifest = json.loads((entry / "manifest.json").read_text())
    assert checked.scores == pytest.approx(manifest["claims"])


def test_an_entry_can_be_merged_like_a_run(entry, other):
    assert set(board(RunPaths(entry, "fabricated"), other)["method"]) == {"hdf", "m3dfel"}


def test_a_training_augmentation_that_is_tested_is_a_warning(run, tmp_path):
    entry = export_entry(run, "hdf", tmp_path / "entry", training_augmentations=["Contrast"])
    assert validate(entry).warnings == ("trained with 'Contrast', which resembles the test perturbations contrast",)


def edit_manifest(entry, **changes):
    path = entry / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in manifest.items() if value is not None}))


def test_an_altered_file_is_named(entry):
    path = next(entry.glob("units/*/predictions-*.parquet"))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(CollectedError, match=r"predictions-test-v1-0\.parquet is not the file that was listed"):
        validate(entry)


def test_a_missing_file_is_named(entry):
    next(entry.glob("units/*/predictions-*.parquet")).unlink()
    with pytest.raises(CollectedError, match="is missing"):
        validate(entry)


def test_a_manifest_that_lacks_keys_names_all_of_them(entry):
    edit_manifest(entry, claims=None, training_augmentations=None, method=3)
    with pytest.raises(CollectedError) as caught:
        validate(entry)
    assert len(caught.value.problems) == 3


def test_a_claim_that_the_predictions_do_not_give_is_refused(entry):
    edit_manifest(entry, claims={"uar_clean": 0.999})
    with pytest.raises(CollectedError, match=r"'uar_clean' is claimed as 0\.999000 and recomputed as"):
        validate(entry)


def test_logits_that_are_not_finite_and_other_clips_are_refused(run, entry):
    from harness.report.entry import file_digests

    path = sorted(entry.glob("units/*/predictions-*.parquet"))[0]
    frame = read(path, predictions(len(CLASSES)))
    frame.at[0, "logits"] = np.full(len(CLASSES), np.nan, dtype=np.float32)
    frame["clip_id"] = "other-" + frame["clip_id"]
    write(frame, predictions(len(CLASSES)), path)
    edit_manifest(entry, files=file_digests(entry))
    with pytest.raises(CollectedError) as caught:
        validate(entry, run)
    text = str(caught.value)
    assert "1 rows whose logits are not finite" in text
    assert "40 clips of the reference are missing, 40 are not in it" in text


def test_a_fold_that_was_not_entered_is_missed(run, tmp_path):
    one_fold = fabricate(tmp_path / "one", Fabrication(**{**OTHER_FIELDS, "folds": (1,)}), study="one")
    entry = export_entry(one_fold, "m3dfel", tmp_path / "entry")
    from harness.report.entry import file_digests

    dataset = json.loads(RunPaths(entry, "one").dataset_file.read_text()) | {"folds": [1, 2]}
    RunPaths(entry, "one").dataset_file.write_text(json.dumps(dataset))
    edit_manifest(entry, files=file_digests(entry))
    with pytest.raises(CollectedError, match="fold 2 has no predictions"):
        validate(entry)


OTHER_FIELDS = {"skills": {"m3dfel": 1.5}, "clips": 40, "severities": (3,), "perturbations": ("contrast",)}


def test_an_entry_is_never_written_over_another(run, entry):
    with pytest.raises(HarnessError, match="exists already"):
        export_entry(run, "hdf", entry)


def test_a_folder_without_a_manifest_is_no_entry(tmp_path):
    with pytest.raises(HarnessError, match="no leaderboard entry"):
        validate(tmp_path)
