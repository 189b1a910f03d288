"""Learning rate, isolation, options: each a law of its own."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from harness.errors import HarnessError
from harness.spec.trial import TrainingSpec
from harness.train.isolation import deterministic, isolated
from harness.train.options import typed_options
from harness.train.schedule import learning_rate


def test_the_learning_rate_warms_up_to_its_peak_and_falls_to_its_floor():
    training = TrainingSpec(epochs=10, warmup_epochs=2, final_learning_rate=0.1)
    rates = [learning_rate(1.0, training, progress) for progress in np.linspace(0, 10, 101)]
    assert rates[0] == 0
    assert rates[20] == pytest.approx(1.0)
    assert rates[60] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1)
    assert all(np.diff(rates[:21]) > 0)
    assert all(np.diff(rates[20:]) < 0)


def test_a_warm_up_longer_than_the_training_still_reaches_the_peak():
    training = TrainingSpec(epochs=2, warmup_epochs=50)
    assert learning_rate(1.0, training, 1.0) == pytest.approx(1.0)


def test_isolation_seeds_inside_and_restores_outside():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with isolated(3, 2, torch.device("cpu")):
        first = torch.rand(3)
        assert torch.get_num_threads() == 2
    with isolated(3, 1, torch.device("cpu")):
        assert torch.equal(first, torch.rand(3))
    with isolated(3, 10_000, torch.device("cpu")):
        assert torch.get_num_threads() <= os.cpu_count()
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("device", "asked"), [("cuda", True), ("cpu", False)])
def test_a_gpu_is_asked_for_deterministic_kernels_and_the_process_is_left_as_it_was(device, asked, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    backend = torch.backends.cudnn

    def switches():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.utils.deterministic.fill_uninitialized_memory,
            (backend.deterministic, backend.benchmark, backend.allow_tf32),
        )

    before = switches()
    with deterministic(torch.device(device)):
        assert switches() == (asked, asked, not asked, (True, False, False))
    assert switches() == before
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_torchs_newer_switch_of_precision_is_honoured_and_given_back():
    """In a process of its own, because the older switch cannot be read any more afterwards."""
    code = """
import torch
from harness.train.isolation import deterministic, convolutions_in_tf32
backend = torch.backends.cudnn
backend.conv.fp32_precision = "ieee"
seen = lambda: (backend.conv.fp32_precision, backend.rnn.fp32_precision)
before = seen()
with deterministic(torch.device("cpu")):
    assert seen() == ("ieee", "ieee"), seen()
    with convolutions_in_tf32(allowed=True):
        assert seen() == ("tf32", "tf32"), seen()
    assert seen() == ("ieee", "ieee"), seen()
assert seen() == before, seen()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_option_that_a_plugin_does_not_know_is_answered_with_the_nearest_one():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Options:
        width: float = 1.0

    assert typed_options("model 'm'", Options, {"width": 2}).width == 2
    with pytest.raises(HarnessError, match=r"model 'm' has no option 'widht'. Did you mean 'width'?"):
        typed_options("model 'm'", Options, {"widht": 2})
    with pytest.raises(HarnessError, match=r"option 'width'.*seen: 'wide'"):
        typed_options("model 'm'", Options, {"width": "wide"})
