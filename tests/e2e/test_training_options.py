"""Options of training that other studies use: mixed clips, published weights."""

import json

import pytest
import torch
from conftest import STUDY

from harness.paths import RunPaths
from harness.plugins import load
from harness.tables import schema, store
from models._blocks.model import ClipShape

SHORT = {"methods": {"lstm": STUDY["methods"]["lstm"]}, "search": None, "folds": [1]}


def one_trial(out, table=schema.EPOCHS):
    run = RunPaths(out, "small")
    return run, store.read(run.table(table.name), table)


@pytest.mark.parametrize("name", ["mixup", "videomix"])
def test_a_study_can_mix_its_training_clips(name, write_study, invoke, tmp_path):
    losses = {}
    for label, mix in (("mixed", {"name": name, "alpha": 1.0}), ("plain", None)):
        training = {"epochs": 1, "batch_size": 8, "mix": mix}
        study = write_study(**{**SHORT, "training": training, "stress": {}})
        code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / label)
        assert code == 0, printed + complaint
        losses[label] = one_trial(tmp_path / label)[1]["train_loss"].iloc[0]
    assert losses["mixed"] != losses["plain"]


def test_a_study_can_start_from_published_weights(write_study, invoke, tmp_path):
    plugin = load("model", "x3d")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = plugin.build(plugin.config(width=0.5, depth=0.5), 2, ClipShape(4, 32))
    torch.save(network.state_dict(), tmp_path / "weights.pyth")
    model = {"name": "x3d", "width": 0.5, "depth": 0.5}
    methods = {"x3d": {"model": model, "pretrained": str(tmp_path / "weights.pyth")}}
    study = write_study(**{**SHORT, "methods": methods, "training": {"epochs": 1, "batch_size": 8}, "stress": {}})
    code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / "runs")
    assert code == 0, printed + complaint
    run, trials = one_trial(tmp_path / "runs", schema.TRIALS)
    record = json.loads(run.unit(trials["trial_id"].iloc[0]).record.read_text())
    assert "tensors loaded" in record["pretrained"]
