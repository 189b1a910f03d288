"""Leaderboards and their entries: bold, names and published facts as they are, nothing unsound in."""

import json
import re

import numpy as np
import pytest
from fabricated_run import CLASSES, Fabrication, fabricate

from harness.errors import CollectedError, HarnessError
from harness.paths import RunPaths
from harness.report.comparison import compare
from harness.report.comparison_question import Question
from harness.report.entry import export_entry
from harness.report.latex import bold_methods
from harness.report.leaderboard import Scoped
from harness.report.merge import merge_leaderboards
from harness.report.published import HEADING, published, published_for, published_markdown
from harness.report.validation import validate
from harness.tables.schema import predictions
from harness.tables.store import read, write

SMALL = Fabrication(clips=40, severities=(3,), perturbations=("contrast", "global_shuffle"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("runs"), SMALL)


@pytest.fixture
def entry(run, tmp_path):
    return export_entry(run, "hdf", tmp_path / "entry", training_augmentations=["flip"])


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
