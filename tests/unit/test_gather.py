"""Methods are compared on what they share, and everything left out is said."""

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.gather import Named, RunOutcomes, align, headline
from harness.stats.outcomes import Run

FOG = Condition(perturbation="fog", severity=3)


def entry(method, fold=1, seed=0, clips=6, cells=((CLEAN_CONDITION, 0), (FOG, 0)), labels=None):
    ids = np.array([f"{fold}-{index}" for index in range(clips)], dtype=object)
    labels = np.arange(clips, dtype=np.int16) % 3 if labels is None else labels
    named = Named(ids, ids, labels, labels.astype(np.int8))
    run = Run(method=method, fold=fold, seed=seed, trial_id=f"{method}-{fold}-{seed}")
    return RunOutcomes(run=run, cells=dict.fromkeys(cells, named))


def test_complete_runs_leave_nothing_out():
    outcomes = align([entry("b"), entry("a")], "xyz", ["b", "a"])
    assert outcomes.methods == ("b", "a")
    assert outcomes.conditions == (CLEAN_CONDITION, FOG)
    assert outcomes.notes == ()
    assert outcomes.folds[0].predicted.shape == (2, 2, 1, 6)


def test_a_method_without_a_run_is_named():
    assert align([entry("a")], "xyz", ["a", "b"]).notes == ("b has no finished run and is not shown.",)


def test_a_fold_that_one_method_lacks_is_left_out_for_all():
    outcomes = align([entry("a", 1), entry("a", 2), entry("b", 1)], "xyz", ["a", "b"])
    assert [fold.fold for fold in outcomes.folds] == [1]
    assert outcomes.notes == ("Fold 2 is left out: it is missing for b.",)


def test_a_condition_that_one_run_lacks_is_left_out_for_all():
    outcomes = align([entry("a"), entry("b", cells=((CLEAN_CONDITION, 0),))], "xyz", ["a", "b"])
    assert outcomes.conditions == (CLEAN_CONDITION,)
    assert outcomes.notes == ("Left out because not every run was tested under them: fog-3.",)


def test_clips_that_one_run_lacks_are_left_out_and_counted():
    outcomes = align([entry("a", clips=6), entry("b", clips=4)], "xyz", ["a", "b"])
    assert outcomes.folds[0].clip_ids.tolist() == ["1-0", "1-1", "1-2", "1-3"]
    assert "2 of 6 clips are left out" in outcomes.notes[0]


def test_the_one_clean_draw_stands_for_every_repeat():
    outcomes = align([entry("a", cells=((CLEAN_CONDITION, 0), (FOG, 0), (FOG, 1)))], "xyz", ["a"])
    assert outcomes.folds[0].predicted.shape == (1, 2, 2, 6)


def test_a_label_that_differs_between_runs_is_an_error_that_names_the_clip():
    other = np.array([0, 1, 2, 0, 2, 2], dtype=np.int16)
    with pytest.raises(HarnessError, match="1-4 has different labels"):
        align([entry("a"), entry("b", labels=other)], "xyz", ["a", "b"])


def test_methods_without_a_common_fold_cannot_be_compared():
    with pytest.raises(HarnessError, match="no fold in common"):
        align([entry("a", 1), entry("b", 2)], "xyz", ["a", "b"])


def test_no_run_at_all_is_an_error():
    with pytest.raises(HarnessError, match="nothing to report"):
        align([], "xyz", ["a"])


def test_the_validation_selection_is_the_headline():
    assert headline(["last"]) == "last"
    assert headline(["last", "test_best", "validation"]) == "validation"
    with pytest.raises(HarnessError, match="validation clips"):
        headline(["last", "test_best"])
