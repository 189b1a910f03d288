"""What an entry says of its training and of the clips it saw, and how that is checked."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from fabricated_run import Fabrication, fabricate

from harness.errors import CollectedError, HarnessError
from harness.paths import RunPaths
from harness.report.augmentations import OVERLAPS, overlap, own_augmentations, unknown_augmentations
from harness.report.entry import export_entry, file_digests, run_or_entry
from harness.report.findings import analyse
from harness.report.latex import latex
from harness.report.leaderboard import markdown
from harness.report.merge import merge_leaderboards, merged
from harness.report.metrics_table import metrics_table
from harness.report.study_results import read_results
from harness.report.validation import validate
from harness.tables.schema import FINGERPRINTS, METRICS
from harness.tables.store import made_of, read, write
from harness.train.augment_recipes import PARTS, PUBLISHED

SMALL = Fabrication(clips=40, severities=(3,), perturbations=("contrast", "brightness", "global_shuffle"))


def trained_with(run: RunPaths, *augment: str, mix: str | None = None, **clip: object) -> RunPaths:
    """The study file says what was done to training clips."""
    study = yaml.safe_load(run.study_file.read_text())
    study["clip"] = {"augment": list(augment), **clip}
    study["training"] = {"mix": {"name": mix} if mix else None}
    run.study_file.write_text(yaml.safe_dump(study, sort_keys=False))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained_with(fabricate(tmp_path_factory.mktemp("runs"), SMALL), "flip", "color_jitter", mix="mixup")


@pytest.fixture
def entry(run, tmp_path):
    return export_entry(run, "hdf", tmp_path / "entry", training_augmentations=["gaussian_blur"])


def relist(entry) -> None:
    path = entry / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"files": file_digests(entry)}))


def change_fingerprints(entry, change) -> None:
    for path in entry.glob("units/*/fingerprints-*.parquet"):
        write(change(read(path, FINGERPRINTS)), FINGERPRINTS, path)
    relist(entry)


def shifted(levels: float):
    """Adds levels to one clip's blocks under contrast."""

    def change(rows):
        changed = (rows["perturbation"] == "contrast") & (rows["clip_id"] == rows["clip_id"].iloc[0])
        rows["values"] = [
            row + np.float32(levels) if one else row for row, one in zip(rows["values"], changed, strict=True)
        ]
        return rows

    return change


def test_the_studys_own_augmentation_fills_the_manifest(entry):
    manifest = json.loads((entry / "manifest.json").read_text())
    assert manifest["training_augmentations"] == ["flip", "color_jitter", "mixup", "gaussian_blur"]


def test_what_training_and_test_share_is_a_warning_that_names_it(entry, run):
    (warning,) = validate(entry, run).warnings
    assert warning == "trained with 'color_jitter', which resembles the test perturbations brightness, contrast"


def test_an_augmentation_that_nobody_knows_is_said_to_be_unknown(run, tmp_path):
    entry = export_entry(run, "hdf", tmp_path / "entry", training_augmentations=["secret_sauce"])
    assert any("'secret_sauce' is not known" in one for one in validate(entry).warnings)


def test_an_entry_takes_fingerprints_and_validation_predictions_along(entry):
    for pattern in ("fingerprints-v1-*", "predictions-val", "predictions-test-*"):
        assert len(list(entry.glob(f"units/*/{pattern}.parquet"))) == 2


def test_clips_that_look_the_same_within_a_level_pass(entry, run):
    change_fingerprints(entry, shifted(0.9))
    validate(entry, run)


def test_clips_that_were_perturbed_otherwise_are_named_with_their_condition(entry, run):
    change_fingerprints(entry, shifted(5))
    with pytest.raises(CollectedError) as caught:
        validate(entry, run)
    assert "fold 1, seed 0, contrast-3: clip 1-00000 differs from the reference's by 5.0 levels" in str(caught.value)
    assert "brightness" not in str(caught.value)


def test_missing_fingerprints_are_named(entry, run):
    change_fingerprints(entry, lambda rows: rows[rows["perturbation"] != "contrast"])
    assert "fold 2, seed 0 has no fingerprints of contrast-3" in validate(entry, run).warnings
    for path in entry.glob("units/*/fingerprints-*.parquet"):
        path.unlink()
    relist(entry)
    assert "fold 1, seed 0 has no fingerprints of any condition" in validate(entry, run).warnings


def test_a_reference_without_fingerprints_is_named(entry, run, tmp_path):
    shutil.copytree(run.root, tmp_path / "bare")
    bare = RunPaths(tmp_path / "bare", run.study)
    for path in bare.root.glob("units/*/fingerprints-*.parquet"):
        path.unlink()
    assert any("the reference has no fingerprints" in one for one in validate(entry, bare).warnings)


def test_other_frames_are_a_warning_and_not_compared(entry, run, tmp_path):
    other = trained_with(fabricate(tmp_path / "o", SMALL), "flip", frames=8)
    change_fingerprints(entry, shifted(50))
    assert any("frames None not 8" in one for one in validate(entry, other).warnings)


def test_an_epoch_selected_on_test_clips_is_a_warning(entry):
    path = entry / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"selection": "test"}))
    assert any("selected on 'test'" in one for one in validate(entry).warnings)


def test_boards_name_what_each_method_was_trained_on(run, entry, tmp_path):
    plain = trained_with(fabricate(tmp_path / "plain", SMALL, study="plain"), "flip")
    plain_results = read_results(plain)
    assert set(analyse(plain_results, 20).leaderboard["trained_on"]) == {""}
    renamed = Fabrication(skills={"m3dfel": 1.5}, clips=40, severities=(3,), perturbations=SMALL.perturbations)
    other = trained_with(fabricate(tmp_path / "other", renamed, study="other"), "m3dfel")
    results = merged([read_results(run_or_entry(entry)), read_results(other), plain_results])
    found = analyse(results, 20)
    board = found.leaderboard.set_index("method")["trained_on"]
    assert board["hdf (fabricated)" if "hdf (fabricated)" in board else "hdf"] == "brightness, contrast"
    assert board["m3dfel"] == "brightness, contrast"
    assert board["x3d"] == ""
    assert "| Trained on |" in markdown(found.leaderboard, "", [])
    assert "Trained on" in latex(found.leaderboard, found.scoped, results.outcomes.methods)
    html = merge_leaderboards([run_or_entry(entry), plain], tmp_path / "board", 20).html_path.read_text()
    assert 'data-name="trained_on"' in html
    assert "Trained on" not in markdown(analyse(plain_results, 20).leaderboard, "", [])


def test_what_an_entry_declares_holds_in_whichever_order_runs_are_named(run, tmp_path):
    made = run_or_entry(export_entry(run, "x3d", tmp_path / "x3d", ["gaussian_blur_of_ours", "contrast"]))
    manifest = tmp_path / "x3d" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"selection": "test"}))
    parts = [read_results(made), read_results(run)]
    for order in (parts, parts[::-1]):
        results = merged(order)
        assert "contrast" in analyse(results, 20).leaderboard.set_index("method")["trained_on"]["x3d"]
        assert "gaussian_blur_of_ours" in results.study["methods"]["x3d"]["training_augmentations"]
        assert results.study["methods"]["x3d"]["selection"] == "test"
        assert results.study["methods"]["hdf"]["selection"] == "validation"


def test_an_entry_beside_its_run_is_one_method_also_where_a_third_run_means_another(run, tmp_path):
    made = run_or_entry(export_entry(run, "x3d", tmp_path / "x3d"))
    stronger = Fabrication(
        skills={"x3d": 1.9}, clips=SMALL.clips, severities=SMALL.severities, perturbations=SMALL.perturbations
    )
    other = fabricate(tmp_path / "other", stronger, study="other")
    results = merged([read_results(one) for one in (run, made, other)])
    assert [name for name in results.outcomes.methods if "x3d" in name] == ["x3d (fabricated)", "x3d (other)"]
    assert results.outcomes.num_runs("x3d (fabricated)") == len(SMALL.folds)


def test_scores_planted_beside_predictions_are_not_believed(entry):
    results = read_results(run_or_entry(entry))
    honest = metrics_table(results)
    for path in entry.glob("units/*/metrics-*.parquet"):
        write(read(path, METRICS).assign(value=1.0), METRICS, path, made_of=made_of(path))
    assert (metrics_table(results)["value"] == 1).all(), "kept scores are what the table is made of"
    validate(entry)
    pd.testing.assert_frame_equal(metrics_table(results), honest)


def test_perturbations_of_one_name_and_two_sources_are_not_on_one_board(entry, run):
    suite = json.loads((entry / run.study / "suite.json").read_text())
    for condition in suite["conditions"]:
        condition |= {"code": "0" * 16} if condition["perturbation"] == "contrast" else {}
    (entry / run.study / "suite.json").write_text(json.dumps(suite))
    with pytest.raises(HarnessError, match="differ in their source of the perturbation 'contrast'"):
        merged([read_results(run_or_entry(entry)), read_results(run)])


def test_the_folder_of_an_entry_and_of_a_study_are_told_apart(run, entry):
    assert run_or_entry(entry) == RunPaths(entry, "fabricated")
    assert run_or_entry(run.folder) == RunPaths(run.root, "fabricated")


def test_every_augmentation_that_a_study_can_name_is_in_the_table():
    assert {*PARTS, *PUBLISHED, "mixup", "cutmix", "videomix"} <= set(OVERLAPS)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_published_recipe_overlaps_with_what_its_steps_do(name):
    recipe, alike = PUBLISHED[name], set(OVERLAPS[name])
    assert ("roll" in alike) == (recipe.rotation > 0)
    assert ("hflip" in alike) == ("flip" in recipe.steps)
    assert ("misaligned_crop" in alike) == ("crop" in recipe.steps)
    named = ("brightness", "contrast", "desaturate", "hue")
    assert [one in alike for one in named] == [width > 0 for width in recipe.jitter]


def test_every_perturbation_of_the_table_exists():
    from harness.plugins import names

    assert {one for alike in OVERLAPS.values() for one in alike} <= set(names("perturbation"))


def test_a_perturbation_or_a_family_stands_for_itself(run):
    suite = read_results(run).suite
    assert overlap(["Contrast", "illumination"], suite) == {
        "Contrast": ("contrast",),
        "illumination": ("brightness", "contrast"),
    }
    assert unknown_augmentations(["Color-Jitter", "what"], suite) == ["what"]


def test_a_study_without_those_sections_declares_nothing():
    assert own_augmentations({"name": "old"}) == ()
