"""What a unit leaves on storage beside its predictions: the selection audit, features, fingerprints."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_unit import make_task, weights

from harness.metrics.uar import uar
from harness.metrics.war import war
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.tables import schema, store
from harness.train.fingerprint import FINGERPRINT_CLIPS, block_means, fingerprint_clips
from harness.train.fit import Training
from harness.train.task import open_clips
from harness.train.unit import execute, is_finished, read_record
from perturbations._apply import SUITE_VERSION

NOISE = Condition(perturbation="gaussian_noise", severity=3)


@pytest.fixture(scope="module")
def audited(source, tmp_path_factory):
    task = make_task(source, tmp_path_factory.mktemp("audited"), audit=True, conditions=(CLEAN_CONDITION, NOISE))
    execute(task, lambda event: None)
    return task


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def test_a_training_is_the_same_bit_for_bit_with_and_without_its_audit(audited, source, tmp_path):
    plain = make_task(source, tmp_path)
    events = []
    execute(plain, events.append)
    assert not plain.paths.audit.exists()
    assert all(torch.equal(value, weights(plain)[name]) for name, value in weights(audited).items())
    assert plain.paths.predictions("val").read_bytes() == audited.paths.predictions("val").read_bytes()
    ours, theirs = (store.read(task.paths.epochs, schema.EPOCHS).drop(columns="seconds") for task in (plain, audited))
    assert ours.equals(theirs)
    assert [event["epoch"] for event in events] == [1, 2, 3, 4]


@pytest.mark.uses_global_rng
def test_a_training_cannot_be_given_test_clips(audited):
    reader, fold = open_clips(audited)
    with pytest.raises(ValueError, match="must not be given test clips"):
        Training(audited.trial, fold, reader, torch.device("cpu"))
    Training(audited.trial, dataclasses.replace(fold, test=()), reader, torch.device("cpu"))


def at_other_epochs(task) -> pd.DataFrame:
    """Test predictions of the epochs that validation clips did not choose."""
    files = task.paths.audit_predictions(SUITE_VERSION)
    return pd.concat([store.read(file, schema.predictions(2)) for file in files], ignore_index=True)


def logits_of(rows: pd.DataFrame) -> np.ndarray:
    return np.stack(rows.sort_values(["perturbation", "severity", "clip_id"])["logits"].to_list())


def test_the_audit_holds_every_epoch_and_all_conditions_at_the_last_and_the_best_on_test(audited):
    rows = store.read(audited.paths.audit, schema.AUDIT)
    assert rows["epoch"].tolist() == [1, 2, 3, 4]
    shown = at_other_epochs(audited)
    assert set(shown["split"]) == {"test"}
    best = int(rows["epoch"][rows["test_uar"].argmax()])
    assert read_record(audited.paths)["kept_epochs"]["best_on_test"] == best
    for selection, epoch in (("last", 4), ("best_on_test", best)):
        own = shown[shown["selection"] == selection]
        assert set(own["perturbation"]) == {"clean", "gaussian_noise"}
        clean = own[own["perturbation"] == "clean"]
        logits, labels = np.stack(clean["logits"].to_list()), clean["label"].to_numpy()
        measured = rows.set_index("epoch").loc[epoch]
        assert uar.compute(logits, labels) == measured["test_uar"]
        assert war.compute(logits, labels) == measured["test_war"]


def test_the_audited_last_epoch_equals_a_training_that_keeps_its_last_epoch(audited, source, tmp_path):
    """The reference: select_on last, and the ordinary evaluation of its checkpoint."""
    last = make_task(source, tmp_path, training={"select_on": "last"}, conditions=(CLEAN_CONDITION, NOISE))
    execute(last, lambda event: None)
    tested = store.read(last.paths.test_predictions(SUITE_VERSION)[0], schema.predictions(2))
    shown = at_other_epochs(audited)
    assert np.array_equal(logits_of(tested), logits_of(shown[shown["selection"] == "last"]))
    ours = store.read(audited.paths.audit_val_predictions, schema.predictions(2))
    theirs = store.read(last.paths.predictions("val"), schema.predictions(2))
    assert np.array_equal(logits_of(theirs), logits_of(ours[ours["selection"] == "last"]))


def test_weights_are_kept_of_the_epochs_that_the_rules_keep_and_of_no_other(audited):
    kept = read_record(audited.paths)["kept_epochs"]
    others = {epoch for epoch in kept.values() if epoch != kept["validation"]}
    names = {audited.paths.checkpoint.name, *(audited.paths.weights(epoch).name for epoch in others)}
    assert {path.name for path in audited.paths.folder.glob("*.pt")} == names


def test_a_lost_evaluation_of_other_epochs_is_made_again_alone_and_equal(audited):
    before = contents(audited.paths.folder)
    lost = [*audited.paths.audit_predictions(SUITE_VERSION), audited.paths.audit_val_predictions]
    times = {name: (audited.paths.folder / name).stat().st_mtime_ns for name in before}
    for path in lost:
        path.unlink()
        assert not is_finished(audited)
    execute(audited, lambda event: None)
    assert contents(audited.paths.folder) == before
    made = {name for name in before if (audited.paths.folder / name).stat().st_mtime_ns != times[name]}
    assert made == {path.name for path in lost}


def test_a_condition_asked_for_later_is_shown_to_every_kept_epoch_without_training(source, tmp_path):
    task = make_task(source, tmp_path, audit=True, conditions=(CLEAN_CONDITION,))
    execute(task, lambda event: None)
    later = task.model_copy(update={"conditions": (CLEAN_CONDITION, NOISE)})
    assert not is_finished(later)
    events = []
    execute(later, events.append)
    assert {event["kind"] for event in events} == {"stress"}
    assert is_finished(later)
    shown = at_other_epochs(later)
    for rule in ("last", "best_on_test"):
        assert set(shown.loc[shown["selection"] == rule, "perturbation"]) == {"clean", "gaussian_noise"}


def test_a_unit_trained_without_an_audit_is_finished_without_one(source, tmp_path):
    searched = make_task(source, tmp_path)
    execute(searched, lambda event: None)
    confirmed = searched.model_copy(update={"audit": True})
    assert is_finished(confirmed)
    execute(confirmed, lambda event: None)
    assert not confirmed.paths.audit.exists()


def test_features_asked_for_later_come_from_the_checkpoint_and_touch_nothing_else(audited):
    before = contents(audited.paths.folder)
    later = audited.model_copy(update={"features": True})
    assert not is_finished(later)
    execute(later, lambda event: pytest.fail(f"nothing is trained or tested again: {event}"))
    assert is_finished(later)
    after = contents(audited.paths.folder)
    assert set(after) - set(before) == {"features.parquet"}
    assert {name: after[name] for name in before} == before
    found = store.read(audited.paths.features, schema.features(16))
    _, fold = open_clips(audited)
    assert found["clip_id"].tolist() == sorted(fold.test)
    assert np.isfinite(np.stack(found["features"].to_list())).all()
    classifier = {name.rpartition(".")[2]: value for name, value in weights(audited).items() if "classifier" in name}
    logits = np.stack(found["features"].to_list()) @ classifier["weight"].numpy().T + classifier["bias"].numpy()
    tested = store.read(audited.paths.test_predictions(SUITE_VERSION)[0], schema.predictions(2))
    clean = tested[tested["perturbation"] == "clean"]
    np.testing.assert_allclose(logits, np.stack(clean["logits"].to_list()), atol=1e-5)


def test_fingerprints_show_the_same_clips_to_every_trial_of_a_fold(audited, source, tmp_path):
    file = audited.paths.test_predictions(SUITE_VERSION)[0]
    name = file.stem.rpartition("-")[2]
    found = store.read(audited.paths.fingerprints_file(SUITE_VERSION, name), schema.FINGERPRINTS)
    assert found.groupby(["perturbation", "severity", "repeat"]).size().to_dict() == {
        ("clean", 0.0, 0): FINGERPRINT_CLIPS,
        ("gaussian_noise", 3.0, 0): FINGERPRINT_CLIPS,
    }
    other = make_task(source, tmp_path, seed=1, training={"epochs": 1}, conditions=(CLEAN_CONDITION, NOISE))
    execute(other, lambda event: None)
    again = other.paths.fingerprints_file(SUITE_VERSION, name)
    assert again.read_bytes() == audited.paths.fingerprints_file(SUITE_VERSION, name).read_bytes()


def test_a_fingerprint_is_the_means_of_blocks_in_time_height_width_and_channel(audited):
    reader, fold = open_clips(audited)
    chosen = fingerprint_clips(reversed(fold.test))
    assert chosen == fingerprint_clips(fold.test)
    batch = next(reader.in_order(chosen, 8))
    expected = batch.pixels.numpy().astype(float).reshape(8, 2, 2, 3, 4, 8, 4, 8).mean(axis=(2, 5, 7))
    expected = expected.transpose(0, 1, 3, 4, 2).reshape(8, -1)
    np.testing.assert_allclose(block_means(batch.pixels).numpy(), expected, rtol=1e-6)
    file = next(audited.paths.folder.glob("fingerprints-*.parquet"))
    clean = store.read(file, schema.FINGERPRINTS).query("perturbation == 'clean'").set_index("clip_id")
    np.testing.assert_allclose(np.stack(clean.loc[list(chosen), "values"].to_list()), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3, 3, 17, 29), (2, 16, 3, 112, 112), (1, 1, 3, 2, 2)])
def test_blocks_of_any_clip_are_within_its_range(shape):
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    means = block_means(pixels)
    assert means.shape == (shape[0], schema.FINGERPRINT_VALUES)
    assert means.min() >= pixels.min()
    assert means.max() <= pixels.max()
