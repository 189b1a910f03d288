"""Taking up a large study costs what is new in it: scores are remembered, and only new epochs are read."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from harness.paths import RunPaths
from harness.plan import search_units
from harness.schedule.epochs_table import epochs_of
from harness.schedule.remembered import RememberedScores
from harness.spec.load import bundled_studies, load_study
from harness.spec.trial import DataRef
from harness.tables import schema, store

STUDY = load_study(bundled_studies()["quickstart"])
UNITS = search_units(STUDY, DataRef(name="synthetic", fingerprint="abc"), "hdf", 0, {})


@pytest.fixture
def run(tmp_path) -> RunPaths:
    paths = RunPaths(tmp_path, "s")
    paths.folder.mkdir()
    return paths


class Computing:
    """A score that counts how often it is computed."""

    def __init__(self, score=0.25):
        self.score, self.asked = score, []

    def __call__(self, unit):
        self.asked.append(unit)
        return self.score


def scores(run, compute):
    return RememberedScores(run.remembered, compute, lambda unit: run.unit(unit.trial.trial_id), "uar")


def publish(run, unit, digest):
    files = {"predictions-val.parquet": {"bytes": 1, "sha256": digest}}
    store.write_text(json.dumps({"status": "done", "files": files}), run.unit(unit.trial.trial_id).record)


def test_a_score_is_computed_once_and_read_by_the_next_run(run):
    publish(run, UNITS[0], "aa")
    compute = Computing()
    assert [scores(run, compute)(UNITS[0]) for _ in range(3)] == [0.25] * 3
    assert len(compute.asked) == 1


def test_other_predictions_have_another_score(run):
    publish(run, UNITS[0], "aa")
    assert scores(run, Computing(0.25))(UNITS[0]) == 0.25
    publish(run, UNITS[0], "bb")
    assert scores(run, Computing(0.75))(UNITS[0]) == 0.75


def test_what_has_no_score_no_digest_or_was_halted_is_asked_every_time(run):
    compute = Computing()
    asks = scores(run, compute)
    assert asks(UNITS[0]) == asks(UNITS[0]) == 0.25
    publish(run, UNITS[0], "aa")
    halted = replace(UNITS[0], stop_after=1)
    assert asks(halted) == asks(halted) == 0.25
    assert len(compute.asked) == 4
    publish(run, UNITS[1], "cc")
    failing = Computing(None)
    assert [scores(run, failing)(UNITS[1]) for _ in range(2)] == [None, None]
    assert len(failing.asked) == 2


def test_a_line_cut_off_by_a_kill_is_computed_again(run):
    publish(run, UNITS[0], "aa")
    run.remembered.write_text('["uar:aa", 0.9]\n["uar:bb", 0.')
    assert scores(run, Computing())(UNITS[0]) == 0.9


def test_a_score_that_is_remembered_after_a_cut_off_line_is_not_lost_with_it(run):
    publish(run, UNITS[0], "aa")
    publish(run, UNITS[1], "cc")
    run.remembered.write_text('["uar:aa", 0.9]\n["uar:bb", 0.')
    assert scores(run, Computing(0.5))(UNITS[1]) == 0.5
    again = scores(run, Computing())
    assert (again(UNITS[0]), again(UNITS[1])) == (0.9, 0.5)


def epochs(trial_id, count=2):
    rows = dict.fromkeys(schema.EPOCHS.schema.names, 0.5)
    return pd.DataFrame(
        [
            {**rows, "trial_id": trial_id, "epoch": number, "train_parts": [("ce", 0.5)]}
            for number in range(1, count + 1)
        ]
    )


def test_only_epochs_of_new_trials_are_read_and_the_table_is_the_same(run):
    for trial_id in ("a", "b", "c"):
        store.write(epochs(trial_id), schema.EPOCHS, run.unit(trial_id).epochs)
    store.write(epochs_of(run, ["a", "b"]), schema.EPOCHS, run.table("epochs"))
    whole = store.read_many((run.unit(one).epochs for one in "abc"), schema.EPOCHS)
    for trial_id in ("a", "b"):
        run.unit(trial_id).epochs.unlink()
    grown = epochs_of(run, ["a", "b", "c"])
    pd.testing.assert_frame_equal(grown, whole)


def test_trials_that_the_study_no_longer_asks_for_leave_the_table(run):
    for trial_id in ("a", "b"):
        store.write(epochs(trial_id), schema.EPOCHS, run.unit(trial_id).epochs)
    store.write(epochs_of(run, ["a", "b"]), schema.EPOCHS, run.table("epochs"))
    assert set(epochs_of(run, ["b"])["trial_id"]) == {"b"}
    run.table("epochs").write_bytes(b"damaged")
    pd.testing.assert_frame_equal(
        epochs_of(run, ["a", "b"]), store.read_many((run.unit(one).epochs for one in "ab"), schema.EPOCHS)
    )
