"""A mistake is one clear line and exit code 2, before any training."""

import pytest
import torch
from conftest import STUDY

from harness.errors import HarnessError

LSTM = STUDY["methods"]["lstm"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fodls": [1]}, ["unknown key 'fodls'", "'folds'"]),
        ({"folds": [1, 9]}, ["folds: dfew has no fold 9", "Known: 1, 2, 3, 4, 5"]),
        ({"methods": {"a": {"model": {"name": "hfd"}}}, "search": None}, ["no model named 'hfd'", "'hdf'"]),
        ({"methods": {"a": {"model": {**LSTM["model"], "widht": 8}}}, "search": None}, ["'widht'", "'width'"]),
        ({"stress": {"perturbations": ["gausian_noise"]}}, ["'gausian_noise'", "'gaussian_noise'"]),
        ({"dataset": {"name": "dfwe", "root": "."}}, ["no dataset named 'dfwe'", "'dfew'"]),
        ({"dataset": {"name": "dfew", "root": "nowhere"}}, ["nowhere"]),
        ({"dataset": {"name": "dfew"}}, ["Sad", "classes"]),
        ({"clip": {"test_sampler": "segment_centre"}}, ["clip.test_sampler", "'segment_centre'", "'segment_center'"]),
        ({"stress": {"suite": "cor"}}, ["stress.suite: no suite named 'cor'", "'core'"]),
        (
            {"methods": {"a": {**LSTM, "pretrained": "no.pt"}}, "search": None},
            ["methods.a.pretrained: no.pt cannot be read"],
        ),
        ({"resources": {"gpus": 1}}, ["resources.gpus", "CUDA"]),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_mistake_is_told_before_any_training(changes, words, verb, write_study, invoke, tmp_path):
    if "resources" in changes and torch.cuda.is_available():
        pytest.skip("this machine has the GPU that the mistake is about")
    out = tmp_path / "runs"
    code, _, complaint = invoke(verb, write_study(**changes), "--out", out, *(["--local"] if verb == "run" else []))
    assert code == 2
    assert complaint.startswith("error: ")
    assert complaint.strip().count("\n") == 0, "one mistake is one line"
    for word in words:
        assert word in complaint
    assert not list(out.glob("units/*"))


def test_a_plan_shows_trials_counts_and_time_and_trains_nothing(write_study, invoke, tmp_path):
    code, printed, _ = invoke("plan", write_study(), "--out", tmp_path / "runs")
    assert code == 0
    assert "8 trials, 5 conditions" in printed
    assert "hdf #0" in printed
    assert "chosen by the search" in printed
    assert not (tmp_path / "runs").exists()


def test_a_command_that_does_not_exist_offers_the_nearest(dferbench):
    done = dferbench("quikstart")
    assert done.returncode == 2
    assert "quickstart" in done.stderr


def test_a_mistake_ends_the_process_with_code_2_and_no_traceback(dferbench):
    done = dferbench("plan", "no-such-study")
    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no study file no-such-study")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--local", "--slots", "2"], "leave out --slots and --address"),
        (["--local", "--address", "auto"], "leave out --slots and --address"),
        (["--address", "ray://head:10001"], "dferbench submit"),
        (["--slots", "-1"], "greater than or equal to 0"),
    ],
)
def test_options_that_do_not_go_together_are_told_before_anything_is_written(
    options, words, write_study, invoke, tmp_path
):
    out = tmp_path / "runs"
    code, _, complaint = invoke("run", write_study(), "--out", out, *options)
    assert code == 2
    assert words in complaint
    assert not out.exists()


def test_a_study_whose_trials_all_fail_ends_with_the_reason_and_code_1(write_study, invoke, tmp_path, monkeypatch):
    def train(task, on_event):
        raise HarnessError("Memory ran out")

    monkeypatch.setattr("harness.train.unit.train", train)
    study = write_study(methods={"lstm": LSTM}, search=None)
    code, printed, complaint = invoke("run", study, "--local", "--out", tmp_path / "runs")
    assert (code, complaint) == (1, "")
    assert "there is no report" in printed
    assert [line.endswith(": Memory ran out") for line in printed.splitlines() if line.startswith("failed: ")] == [True]
