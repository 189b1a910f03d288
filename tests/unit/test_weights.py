"""A trial that starts from published weights is named by their content, wherever the file lies."""

import pytest
from torch import nn

from harness.errors import HarnessError
from harness.plan import confirm_units
from harness.spec.load import bundled_studies, load_study
from harness.spec.trial import DataRef
from harness.train.weights import start_from, with_weights

STUDY = load_study(bundled_studies()["quickstart"])


def started_from(path):
    x3d = STUDY.methods["x3d"].model_copy(update={"pretrained": str(path)})
    return with_weights(STUDY.model_copy(update={"methods": {"x3d": x3d}}))


def trial_id(study):
    return confirm_units(study, DataRef(name="synthetic", fingerprint="f"), "x3d", 0, {})[0].trial.trial_id


def test_the_same_weights_elsewhere_make_the_same_trial_and_other_weights_another(tmp_path):
    files = {name: tmp_path / name for name in ("one.pyth", "copy.pyth", "other.pyth")}
    for name, file in files.items():
        file.write_bytes(b"b" if name.startswith("other") else b"a")
    one, copy, other = (trial_id(started_from(file)) for file in files.values())
    assert one == copy
    assert one != other
    assert one != trial_id(STUDY)


def test_a_missing_checkpoint_is_told_before_training(tmp_path):
    with pytest.raises(HarnessError, match=r"pretrained: .*none\.pyth cannot be read"):
        started_from(tmp_path / "none.pyth")


def test_a_worker_refuses_a_file_that_is_not_the_trials(tmp_path):
    file = tmp_path / "w.pyth"
    file.write_bytes(b"a")
    trial = confirm_units(started_from(file), DataRef(name="synthetic", fingerprint="f"), "x3d", 0, {})[0].trial
    for wrong in (None, str(tmp_path / "v.pyth")):
        (tmp_path / "v.pyth").write_bytes(b"z")
        with pytest.raises(HarnessError, match="starts from weights"):
            start_from(nn.Identity(), trial, wrong)


def test_stated_weights_must_be_those_of_the_file(tmp_path):
    file = tmp_path / "w.pyth"
    file.write_bytes(b"a")
    x3d = STUDY.methods["x3d"].model_copy(update={"pretrained": str(file), "weights": "0" * 64})
    with pytest.raises(HarnessError, match=r"methods\.x3d\.weights is 0000"):
        with_weights(STUDY.model_copy(update={"methods": {"x3d": x3d}}))
