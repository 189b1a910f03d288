"""Every warning that a reader needs, one test each: it is given where it applies and not where it does not."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from fabricated_run import CLASSES, Fabrication, fabricate

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.comparison import compare
from harness.report.comparison_question import Question
from harness.report.design_cautions import design_cautions
from harness.report.entry import export_entry, file_digests
from harness.report.findings import analyse
from harness.report.merge import merged
from harness.report.notes import cautions, reading_notes
from harness.report.study_results import StudyResults, read_results
from harness.stats.bootstrap import Resampling
from harness.tables.schema import TRIALS, predictions
from harness.tables.store import read, write

SHOWN = {"severities": (3,), "perturbations": ("contrast", "global_shuffle")}
TINY = Fabrication(clips=40, **SHOWN)
FIVE = Fabrication(clips=200, folds=(1, 2, 3, 4, 5, 6), severities=(3,), perturbations=("contrast",), seeds=(0, 1, 2))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> RunPaths:
    return fabricate(tmp_path_factory.mktemp("tiny"), TINY)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> RunPaths:
    """Six folds, three seeds, many clips, no search: nothing to warn of but that folds share training clips."""
    run = fabricate(tmp_path_factory.mktemp("sound"), replace(FIVE, skills={"hdf": 1.6, "x3d": 1.2}))
    trials = read(run.table("trials"), TRIALS)
    write(trials[trials["phase"] == "confirm"], TRIALS, run.table("trials"))
    return run


def rewrite(run: RunPaths, change, trial: int | None = None) -> None:
    """Change the stored predictions of all trials, or of one."""
    paths = sorted(run.root.glob("units/*/predictions-test-*.parquet"))
    for path in paths if trial is None else paths[trial : trial + 1]:
        write(change(read(path, predictions(len(CLASSES)))), predictions(len(CLASSES)), path)


def said(run: RunPaths) -> str:
    return "\n".join(cautions(read_results(run)))


def compared(run: RunPaths, **asked: object) -> str:
    return compare(run, Question(replicates=60, **asked)).markdown


def test_a_sound_study_is_not_warned_of(sound):
    assert said(sound) == "Classes with fewer than 30 test clips dominate UAR's uncertainty: Disgust (24)."


def test_few_folds_cannot_feed_an_exact_test(tiny, sound):
    assert "an exact test of folds gives no p below 0.5," in compared(tiny)
    assert "an exact test of folds" not in compared(sound)


def test_few_seeds_leave_the_variation_of_training_out(tiny, sound):
    assert "the intervals cover the choice of test clips only" in said(tiny)
    assert "cover the choice of test clips only" not in said(sound)


def test_folds_share_their_training_clips(sound):
    assert "Any two training sets share about 80 % of their clips" in compared(sound)


def test_conditions_are_not_independent_trials(tiny):
    assert "Conditions share clips and networks" in compared(tiny, scope="perturbed")
    assert "Conditions share clips and networks" not in compared(tiny)


def test_a_condition_that_a_run_lacks_is_left_out_for_all_and_named(tmp_path):
    run = fabricate(tmp_path, TINY)
    rewrite(run, lambda rows: rows[rows["perturbation"] != "contrast"], trial=0)
    assert "Left out because not every run was tested under them: contrast-3." in said(run)


def test_clips_that_a_run_lacks_are_left_out_for_all_and_counted(tmp_path):
    run = fabricate(tmp_path, TINY)
    rewrite(run, lambda rows: rows[~rows["clip_id"].str.endswith("00001")], trial=0)
    assert "1 of 40 clips are left out: not every run was tested on them" in said(run)


def test_other_labels_are_an_error(tmp_path):
    run = fabricate(tmp_path, TINY)
    rewrite(run, lambda rows: rows.assign(label=(rows["label"] + 1) % 7), trial=0)
    with pytest.raises(HarnessError, match="has different labels in different runs"):
        read_results(run)


def test_a_clip_that_several_folds_test_is_counted(tmp_path):
    run = fabricate(tmp_path, TINY)
    rewrite(run, lambda rows: rows.assign(clip_id=rows["clip_id"].str.replace(r"^\d-00000", "both", regex=True)))
    assert "1 clip are tested in more than one fold and count each time." in said(run)


def test_an_identity_that_is_tested_in_several_folds_was_trained_on(tmp_path, sound):
    run = fabricate(tmp_path, TINY)
    rewrite(run, lambda rows: rows.assign(group=rows["group"].str.replace(r"^\d-", "", regex=True)))
    assert "Groups (identities, films) are tested in several folds" in said(run)
    assert "id00, id01, id02 and 17 more" in said(run)
    rewrite(run, lambda rows: rows.assign(group=""))
    assert "Groups" not in said(run)
    assert "Groups" not in said(sound)


def test_pooling_and_averaging_folds_are_both_named_where_they_differ(tmp_path, sound):
    run = fabricate(tmp_path, TINY)

    def all_but_one_sad_clip_of_fold_two(rows):
        sad = (rows["label"] == 1) & rows["clip_id"].str.startswith("2-")
        return rows[~sad | (rows["clip_id"] == rows.loc[sad, "clip_id"].min())]

    rewrite(run, all_but_one_sad_clip_of_fold_two)
    results = read_results(run)
    found = [one for one in design_cautions(results) if "over the pooled clips" in one]
    board = analyse(results, 20).leaderboard.set_index("method")
    assert found
    for text in found:
        assert f"UAR is {100 * board.loc[text.split(':')[0], 'uar_clean']:.1f} over the pooled clips" in text
    assert "over the pooled clips" not in said(sound)


def test_a_class_with_few_clips_is_named_with_its_count(tiny):
    assert "Disgust (4)" in said(tiny)


def test_seeds_that_change_nothing_are_suspected(tmp_path, sound):
    run = fabricate(tmp_path, replace(TINY, seeds=(0, 1), skills={"hdf": 1.5}))
    results = read_results(run)
    same = [replace(fold, predicted=np.repeat(fold.predicted[:1], 2, axis=0)) for fold in results.outcomes.folds]
    broken = replace(results, outcomes=replace(results.outcomes, folds=tuple(same)))
    assert "names the same classes with every seed" in "\n".join(cautions(broken))
    assert "names the same classes" not in said(sound)


def test_an_epoch_selected_on_test_clips_makes_a_score_optimistic(tiny, sound, tmp_path):
    entry = export_entry(tiny, "hdf", tmp_path / "entry")
    manifest = json.loads((entry / "manifest.json").read_text()) | {"selection": "test"}
    (entry / "manifest.json").write_text(json.dumps(manifest | {"files": file_digests(entry)}))
    own = RunPaths(entry, "fabricated")
    warning = "hdf: the epoch was selected on 'test' clips, so its score and its rank are optimistic."
    assert warning in said(own)
    other = fabricate(tmp_path / "other", replace(TINY, skills={"m3dfel": 1.5}), study="other")
    assert warning in cautions(merged([read_results(own), read_results(other)]))
    assert "optimistic" not in said(sound)


def test_a_difference_of_no_practical_interest_is_called_one(tmp_path, sound):
    run = fabricate(tmp_path, replace(FIVE, seeds=(0,), skills={"a": 1.5, "b": 1.0}))
    wide = compared(run, rope=0.5)
    assert "by less than 50 points" in wide or "practically equivalent" in wide
    assert "Practical equivalence: within 1.5 points." in compared(sound)


def test_overlapping_intervals_are_not_offered_as_a_test(tiny):
    results = read_results(tiny)
    notes = reading_notes(results, analyse(results, 20).scores, Resampling(), "UAR")
    assert any("Whether two intervals overlap does not decide that" in one for one in notes)


def test_a_published_number_is_no_baseline(tiny):
    with pytest.raises(HarnessError, match="'MAE-DFER' is a published number, not a training of this study"):
        compare(tiny, Question(baseline="MAE-DFER"))


def test_clips_that_are_shown_differently_are_named(tiny, tmp_path):
    def with_frames(run: RunPaths, frames: int) -> StudyResults:
        study = yaml.safe_load(run.study_file.read_text()) | {"clip": {"frames": frames, "test_sampler": "dense"}}
        run.study_file.write_text(yaml.safe_dump(study, sort_keys=False))
        return read_results(run)

    runs = [
        with_frames(fabricate(tmp_path / name, replace(TINY, skills={name: 1.5}), study=name), frames)
        for name, frames in (("a", 16), ("b", 8))
    ]
    assert "frames: 16 in a, 8 in b" in "\n".join(cautions(merged(runs)))
    assert "shown differently" not in said(tiny)


def test_a_test_fold_of_unusual_size_is_outside_what_the_corrected_t_is_studied_for(tmp_path, sound):
    run = fabricate(tmp_path, Fabrication(folds=(1, 2, 3), clips=40, **SHOWN))
    dataset = json.loads(run.dataset_file.read_text()) | {"num_clips": 40 * 60}
    run.dataset_file.write_text(json.dumps(dataset))
    assert "outside the range in which the corrected t is studied" in compared(run)
    assert "outside the range" not in compared(sound)


def test_many_methods_on_one_test_set_make_the_best_look_better(tmp_path, tiny):
    skills = {f"m{index:02d}": 1.0 for index in range(21)}
    run = fabricate(tmp_path, Fabrication(skills=skills, folds=(1,), clips=30, perturbations=(), fingerprints=False))
    assert "21 methods on one test set: the best score among them is biased upwards." in said(run)
    assert "biased upwards" not in said(tiny)


def test_unequal_numbers_of_trainings_are_named(tmp_path, sound):
    run = fabricate(tmp_path, replace(TINY, seeds=(0, 1)))
    trials = read(run.table("trials"), TRIALS)
    dropped = (trials["method"] == "x3d") & (trials["seed"] == 1) & (trials["phase"] == "confirm")
    write(trials[~dropped], TRIALS, run.table("trials"))
    assert "different numbers of trainings (hdf 4, x3d 2, resnet18_lstm 4)" in said(run)
    assert "different numbers" not in said(sound)


def test_unequal_search_is_named(tiny, sound):
    assert "searched unequally (configurations tried: hdf 6, x3d 0, resnet18_lstm 0)" in said(tiny)
    assert "unequally" not in said(sound)


def test_networks_that_learnt_nothing_are_named(tmp_path, tiny):
    run = fabricate(tmp_path, TINY)
    constant = np.eye(len(CLASSES), dtype=np.float32)[2]
    rewrite(run, lambda rows: rows.assign(logits=[constant] * len(rows)), trial=0)
    assert re.search(
        r" names every clean clip Neutral in 1 of 2 networks \(fold \d, seed 0\): it has learnt", said(run)
    )
    assert "learnt nothing" not in said(tiny)


def test_networks_of_a_method_that_learnt_nothing_are_named_in_one_line(tmp_path):
    run = fabricate(tmp_path, TINY)
    constant = np.eye(len(CLASSES), dtype=np.float32)[2]
    rewrite(run, lambda rows: rows.assign(logits=[constant] * len(rows)))
    lines = [line for line in said(run).split("\n") if "learnt nothing" in line]
    starts = [line.split(":")[0] for line in lines]
    assert starts == [f"{name} names every clean clip Neutral in 2 of 2 networks" for name in TINY.skills]


def test_unfinished_trials_and_excluded_clips_are_named(tmp_path):
    run = fabricate(tmp_path, TINY)
    trials = read(run.table("trials"), TRIALS).astype({"status": object, "error": object})
    trials.loc[(trials["phase"] == "confirm") & (trials["fold"] == 2) & (trials["method"] == "x3d"), "status"] = (
        "failed"
    )
    write(trials, TRIALS, run.table("trials"))
    dataset = json.loads(run.dataset_file.read_text()) | {"excluded": {"bad": "no frames"}}
    run.dataset_file.write_text(json.dumps(dataset))
    assert "x3d, fold 2, seed 0 is failed" in said(run)
    assert "1 clip could not be read and had to be dropped" in said(run)
