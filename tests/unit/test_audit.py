"""What a unit leaves on storage beside its predictions: the selection audit, features, fingerprints."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_unit import make_clips, make_task

from harness.metrics.uar import uar
from harness.metrics.war import war
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.tables import schema, store
from harness.train.fingerprint import FINGERPRINT_CLIPS, block_means, fingerprint_clips
from harness.train.fit import Training
from harness.train.task import open_clips
from harness.train.unit import execute, is_finished
from perturbations._apply import SUITE_VERSION

NOISE = Condition(perturbation="gaussian_noise", severity=3)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DFERBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield make_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def audited(source, tmp_path_factory):
    task = make_task(source, tmp_path_factory.mktemp("audited"), audit=True, conditions=(CLEAN_CONDITION, NOISE))
    execute(task, lambda event: None)
    return task


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def weights(task) -> dict[str, torch.Tensor]:
    return torch.load(task.paths.checkpoint, weights_only=True)


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


def test_the_audit_holds_every_epoch_and_the_logits_of_the_last_and_the_best_on_test(audited):
    rows = store.read(audited.paths.audit, schema.AUDIT)
    assert rows["epoch"].tolist() == [1, 2, 3, 4]
    shown = store.read(audited.paths.audit_predictions, schema.predictions(2))
    assert set(shown["selection"]) == {"last", "best_on_test"}
    assert set(shown["split"]) == {"test"}
    assert set(shown["perturbation"]) == {"clean"}
    for selection, epoch in (("last", 4), ("best_on_test", int(rows["epoch"][rows["test_uar"].argmax()]))):
        own = shown[shown["selection"] == selection]
        logits, labels = np.stack(own["logits"].to_list()), own["label"].to_numpy()
        measured = rows.set_index("epoch").loc[epoch]
        assert uar.compute(logits, labels) == measured["test_uar"]
        assert war.compute(logits, labels) == measured["test_war"]


def test_the_audited_last_epoch_equals_a_training_that_keeps_its_last_epoch(audited, source, tmp_path):
    """The reference: select_on last, and the ordinary evaluation of its checkpoint."""
    last = make_task(source, tmp_path, training={"select_on": "last"}, conditions=(CLEAN_CONDITION,))
    execute(last, lambda event: None)
    tested = store.read(last.paths.test_predictions(SUITE_VERSION)[0], schema.predictions(2))
    shown = store.read(audited.paths.audit_predictions, schema.predictions(2))
    shown = shown[shown["selection"] == "last"]
    assert np.array_equal(np.stack(tested["logits"].to_list()), np.stack(shown["logits"].to_list()))


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
