"""A study trains on the votes of DFEW's annotators, mixed, and tests by label."""

import pytest
from conftest import CLASSES, STUDY
from workbooks import write_votes

from harness.datasets.dfew import dfew
from harness.tables import store

SHORT = {"methods": {"lstm": STUDY["methods"]["lstm"]}, "search": None, "folds": [1], "stress": {}}
TRAINING = {"epochs": 1, "batch_size": 8, "warmup_epochs": 0, "soft_labels": True}


@pytest.fixture
def voted(root):
    """The tests' data set with votes: eight of ten for the label, two for the other class."""
    clips = dfew.open(root, {"classes": CLASSES}).clips.values()
    votes = {clip.clip_id: (2, 0, 8, 0, 0, 0, 0) if clip.label else (8, 0, 2, 0, 0, 0, 0) for clip in clips}
    file = write_votes(root, votes)
    yield root
    file.unlink()


def test_a_study_can_train_on_mixed_votes(voted, write_study, invoke, tmp_path):
    study = write_study(**{**SHORT, "training": {**TRAINING, "mix": {"name": "mixup", "alpha": 1.0}}})
    code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path)
    assert code == 0, printed + complaint
    predictions = next((tmp_path / "units").glob("*/predictions-val.parquet"))
    truth = dfew.open(voted, {"classes": CLASSES}).clips
    labels = store.read_columns(predictions, ["clip_id", "label"])
    assert all(truth[row.clip_id].label == row.label for row in labels.itertuples())


def test_votes_that_are_not_there_are_missed_before_training(write_study, invoke, tmp_path):
    study = write_study(**{**SHORT, "training": TRAINING})
    code, _, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / "runs")
    assert code == 2
    assert "has no annotators' votes" in complaint
    assert not list((tmp_path / "runs").glob("units/*"))
