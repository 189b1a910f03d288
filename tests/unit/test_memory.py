"""Memory that runs out costs micro-batches, which move the weights as whole batches do."""

import weakref
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from tiny_unit import OUT_OF_MEMORY, ignore, make_task, names
from torch import nn
from torch.nn import functional

from harness.errors import HarnessError
from harness.objectives._contract import LossParts, TrainState
from harness.spec.method import OptimizerSpec
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.train import memory
from harness.train.fit import Training
from harness.train.memory import limited, measure, probe
from harness.train.optimizer import build_optimizer
from harness.train.provenance import forget_peak, peak_memory_mb
from harness.train.step import Stepper
from harness.train.unit import execute
from models._blocks.model import Output


class Small(nn.Module):
    """A network without batch normalisation or dropout."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.body = nn.Linear(2 * 3 * 4 * 4, 6)
            self.head = nn.Linear(6, 3)

    def forward(self, clips):
        features = torch.tanh(self.body(clips.flatten(1)))
        return Output(self.head(features), features)


class MeanLoss(nn.Module):
    """Cross-entropy with a part, as a mean over clips; soft labels if there are any."""

    def forward(self, logits, features, labels, state):
        targets = labels if state.label_distributions is None else state.label_distributions
        loss = functional.cross_entropy(logits, targets)
        return LossParts(loss, {"square": features.square().mean().detach()})


@pytest.mark.parametrize("count", [7, 8])
@pytest.mark.parametrize("sam", [None, {"rho": 0.1}])
@pytest.mark.parametrize("soft", [False, True])
def test_accumulated_steps_move_the_weights_as_whole_batches_do(count, sam, soft):
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(count, 2, 3, 4, 4, generator=generator)
    labels = torch.arange(count) % 3
    distributions = torch.rand(count, 3, generator=generator).softmax(1) if soft else None
    state = TrainState(groups=labels.clone(), label_distributions=distributions)
    spec = OptimizerSpec.model_validate({"name": "sgd", "learning_rate": 0.5, "sam": sam})
    reports, parameters = [], []
    for accumulation in (1, 2, 3):
        model = Small()
        stepper = Stepper(model, MeanLoss(), build_optimizer(model.parameters(), spec), spec, clip_gradient=1.0)
        stepper.accumulation = accumulation
        reports.append([stepper.step(clips, labels, state) for _ in range(3)])
        parameters.append(torch.cat([value.detach().flatten() for value in model.parameters()]))
    for other, moved in zip(reports[1:], parameters[1:], strict=True):
        torch.testing.assert_close(moved, parameters[0], rtol=1e-5, atol=1e-6)
        for one, whole in zip(other, reports[0], strict=True):
            assert one.loss == pytest.approx(whole.loss, rel=1e-5)
            assert one.parts["square"] == pytest.approx(whole.parts["square"], rel=1e-5)
            assert one.gradient_norm == pytest.approx(whole.gradient_norm, rel=1e-4)
            torch.testing.assert_close(one.logits, whole.logits, rtol=1e-4, atol=1e-5)


def test_no_micro_batch_has_fewer_than_two_clips():
    spec = OptimizerSpec()
    model, seen = Small(), []
    model.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    stepper = Stepper(model, MeanLoss(), build_optimizer(model.parameters(), spec), spec)
    stepper.accumulation = 2
    for count in (2, 3, 4, 5):
        stepper.step(torch.zeros(count, 2, 3, 4, 4), torch.zeros(count, dtype=torch.long), TrainState())
    assert seen == [2, 3, 2, 2, 3, 2]


def run_out(monkeypatch, times: int, error: RuntimeError) -> list[int]:
    """Let the first steps of the first trainings run out of memory; the micro-batches of every training."""
    seen: list[int] = []
    epoch = Training.epoch

    def failing(self, number):
        if number == 1:
            seen.append(self.stepper.accumulation)
        if len(seen) <= times and number == 2:
            raise error
        return epoch(self, number)

    monkeypatch.setattr(Training, "epoch", failing)
    return seen


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(OUT_OF_MEMORY),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    ],
    ids=["torch", "old cudnn", "cudnn", "cublas", "cufft"],
)
def test_memory_that_runs_out_once_costs_micro_batches_and_the_record_says_so(error, source, tmp_path, monkeypatch):
    seen = run_out(monkeypatch, 1, error)
    task = make_task(source, tmp_path, training={"epochs": 2})
    events = []
    record = execute(task, events.append)
    assert seen == [1, 2]
    assert record["status"] == "done"
    assert record["accumulation"] == 2
    assert str(error) in record["accumulation_reason"]
    assert "batch normalisation and contrastive terms saw one part at a time" in record["accumulation_reason"]
    assert {"kind": "memory", "accumulation": 2, "reason": str(error)} in events
    assert len(names(Path(task.units))) == 1


def test_memory_that_runs_out_twice_is_a_failure_that_says_what_to_do(source, tmp_path, monkeypatch):
    run_out(monkeypatch, 2, torch.OutOfMemoryError(OUT_OF_MEMORY))
    task = make_task(source, tmp_path, training={"epochs": 2})
    with pytest.raises(
        HarnessError, match=r"even with batches of 8 clips taken in 2 parts.*Lower training\.batch_size"
    ):
        execute(task, ignore)
    assert names(Path(task.units)) == [task.paths.failure.name]


def test_an_error_that_is_not_of_memory_is_not_tried_again(source, tmp_path, monkeypatch):
    seen = run_out(monkeypatch, 1, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        execute(make_task(source, tmp_path, training={"epochs": 2}), ignore)
    assert seen == [1]


@pytest.mark.slow
def test_a_larger_batch_needs_more_memory(source, tmp_path):
    training = {"epochs": 1}
    few, many = (
        probe(make_task(source, tmp_path, training={**training, "batch_size": size})).reserved for size in (2, 18)
    )
    assert 100 < few < many


def test_a_share_of_a_gpu_is_given_back(source, tmp_path, monkeypatch):
    shares = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    task = make_task(source, tmp_path, memory_fraction=0.25, device="cuda")
    with suppress(KeyError), limited(task):
        assert shares == [0.25]
        raise KeyError
    assert shares == [0.25, 1.0]
    with limited(make_task(source, tmp_path, memory_fraction=0.25)):
        assert shares == [0.25, 1.0]


def test_an_epoch_holds_on_to_no_clips_that_are_behind_it(source, tmp_path, monkeypatch):
    alive, most, step = weakref.WeakSet(), [], Training._step

    def watched(self, batch, *rest):
        alive.add(batch.pixels)
        most.append(len(alive))
        return step(self, batch, *rest)

    monkeypatch.setattr(Training, "_step", watched)
    execute(make_task(source, tmp_path, training={"epochs": 1, "batch_size": 2}), ignore)
    assert len(most) > 5
    assert max(most) <= 2


def test_what_is_measured_takes_a_batch_in_parts_where_the_trial_would(source, tmp_path, monkeypatch):
    tried, step = [], Stepper.step

    def runs_out(self, clips, labels, state):
        tried.append(self.accumulation)
        if self.accumulation == 1:
            raise torch.OutOfMemoryError(OUT_OF_MEMORY)
        return step(self, clips, labels, state)

    monkeypatch.setattr(Stepper, "step", runs_out)
    assert measure(make_task(source, tmp_path)).reserved > 0
    assert tried == [1, 2, 2]


def test_what_is_measured_sees_each_perturbation_once_at_its_highest_severity(source, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(memory, "as_shown", lambda pixels, names, one: seen.append(one.condition) or pixels)
    wanted = [("gaussian_noise", 1), ("gaussian_noise", 3), ("jpeg", 3), ("reverse", 1)]
    conditions = (CLEAN_CONDITION, *(Condition(perturbation=name, severity=severity) for name, severity in wanted))
    measure(make_task(source, tmp_path, conditions=conditions))
    assert seen == [conditions[2], conditions[4]], "codecs work on the host"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux lets a process's peak be forgotten")
def test_a_training_s_peak_is_not_that_of_an_earlier_one_in_the_same_process():
    cpu, large = torch.device("cpu"), 400_000_000
    torch.zeros(large, dtype=torch.uint8).add_(1)
    before = peak_memory_mb(cpu)
    forget_peak(cpu)
    assert peak_memory_mb(cpu) < before - large / 2e6
