"""A study trains on annotators' votes, alone and mixed, and tests by label."""

import json

import numpy as np
import pytest
from conftest import CLASSES, STUDY
from workbooks import write_votes

from harness.datasets.dfew import dfew
from harness.paths import RunPaths
from harness.tables import schema, store

SHORT = {"methods": {"lstm": STUDY["methods"]["lstm"]}, "search": None, "folds": [1], "stress": {}}


def losses(out) -> np.ndarray:
    return store.read(RunPaths(out, "small").table("epochs"), schema.EPOCHS)["train_loss"].to_numpy()


@pytest.fixture
def voted(root):
    """The tests' data set with votes: eight of ten for the label, two for the other class."""
    labels = {clip.clip_id: clip.label for clip in dfew.open(root, {"classes": CLASSES}).clips.values()}
    file = write_votes(
        root, {i: (2, 0, 8, 0, 0, 0, 0) if label else (8, 0, 2, 0, 0, 0, 0) for i, label in labels.items()}
    )
    yield root
    file.unlink()


@pytest.mark.parametrize("mixing", [None, {"name": "mixup", "alpha": 1.0}])
def test_a_study_can_train_on_votes(mixing, voted, write_study, invoke, tmp_path):
    for label, soft in (("soft", True), ("hard", False)):
        training = {"epochs": 1, "batch_size": 8, "warmup_epochs": 0, "mix": mixing, "soft_labels": soft}
        study = write_study(**{**SHORT, "training": training})
        code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / label)
        assert code == 0, printed + complaint
    assert losses(tmp_path / "soft") != losses(tmp_path / "hard")
    predictions = next((tmp_path / "soft" / "units").glob("*/predictions-val.parquet"))
    labels = store.read_columns(predictions, ["clip_id", "label"])
    truth = dfew.open(voted, {"classes": CLASSES}).clips
    assert all(truth[row.clip_id].label == row.label for row in labels.itertuples())


def test_votes_that_are_not_there_are_missed_before_training(write_study, invoke, tmp_path):
    study = write_study(**{**SHORT, "training": {"epochs": 1, "batch_size": 8, "soft_labels": True}})
    code, _, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / "runs")
    assert code == 2
    assert "has no annotators' votes" in complaint
    assert not list((tmp_path / "runs").glob("units/*"))


def test_studies_on_votes_and_on_labels_are_of_the_same_data(voted, write_study, invoke, tmp_path):
    fingerprints = set()
    for soft in (True, False):
        training = {"epochs": 1, "batch_size": 16, "warmup_epochs": 0, "soft_labels": soft}
        study = write_study(**{**SHORT, "training": training})
        code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / str(soft))
        assert code == 0, printed + complaint
        fingerprints.add(json.loads(RunPaths(tmp_path / str(soft), "small").dataset_file.read_text())["fingerprint"])
    assert len(fingerprints) == 1
