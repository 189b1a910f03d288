"""Every network, loss, augmentation and mixture works where its clips are: nothing of it is left on the CPU.

Without a GPU: torch's fake CUDA tensors know devices and shapes but no values, so an operation between two devices, or
a look of the host at a value that only the device has, raises. Copies for which the host would wait are counted.
Trained on the CPU as on a GPU, none takes an operation that adds up in any order there, so that a training repeats.
"""

import numpy as np
import pytest
import torch
from other_devices import Unordered, Waits
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from harness import plugins
from harness.objectives._contract import TrainingData, TrainState
from harness.train.augment import augment
from harness.train.augment_recipes import PARTS, PUBLISHED
from harness.train.batch_transforms import mix
from harness.train.isolation import deterministic

CLASSES, FEATURES = 4, 6
CUDA = torch.device("cuda")


@pytest.fixture
def fakes():
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Kernels are chosen as for a training on a GPU."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with deterministic(CUDA):
        yield


def moved(module, fakes):
    """What ``module.to("cuda")`` moves, as fakes: parameters and buffers, and nothing that hides elsewhere."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                there = fakes.from_tensor(parameter.detach()).to(CUDA)
                part._parameters[name] = nn.Parameter(there, requires_grad=parameter.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = fakes.from_tensor(buffer).to(CUDA)
        if isinstance(part, nn.RNNBase):
            part._flat_weights = [getattr(part, name) for name in part._flat_weights_names]
    return module


def built(make, *arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(*arguments)


@pytest.mark.parametrize("name", plugins.names("model"))
def test_a_network_works_where_its_clips_are(name):
    if "gru" in name and not torch._C._dispatch_has_kernel_for_dispatch_key("aten::_thnn_fused_gru_cell", "Meta"):
        pytest.skip(f"torch {torch.__version__} does not say of what shape the result of its GRU cell is")
    plugin = plugins.load("model", name)
    shape = plugin.examples[0]
    network = built(plugin.build, plugin.config(**plugin.small), CLASSES, shape)
    with FakeTensorMode(allow_non_fake_inputs=True) as fakes:
        moved(network, fakes).train()
        clips = torch.empty(2, shape.frames, 3, shape.size, shape.size, device=CUDA)
        # cuDNN's recurrent layers ask for a device even of fakes; torch's own take their place
        with Waits() as waits, torch.backends.cudnn.flags(enabled=False):
            output = network(clips)
    assert output.logits.device.type == output.features.device.type == "cuda"
    assert output.logits.shape == (2, CLASSES)
    assert output.logits.requires_grad
    assert not waits.found


@pytest.mark.parametrize("name", plugins.names("objective"))
def test_a_loss_is_worked_out_where_the_logits_are(name):
    plugin = plugins.load("objective", name)
    loss = built(plugin.build, plugin.options(), TrainingData((50, 20, 8, 2), 3, FEATURES))
    with FakeTensorMode(allow_non_fake_inputs=True) as fakes:
        moved(loss, fakes)
        logits = torch.empty(8, CLASSES, device=CUDA, requires_grad=True)
        features = torch.empty(8, FEATURES, device=CUDA, requires_grad=True)
        labels, groups = (torch.empty(8, dtype=torch.long, device=CUDA) for _ in range(2))
        norm = torch.empty((), device=CUDA)
        with Waits() as waits:
            result = loss(logits, features, labels, TrainState(progress=0.5, groups=groups, gradient_norm=norm))
    assert result.loss.is_cuda
    assert result.loss.requires_grad
    assert all(part.is_cuda for part in result.parts.values())
    assert not waits.found


@pytest.mark.parametrize("names", [*((name,) for name in (*PARTS, *PUBLISHED)), tuple(PARTS)])
def test_clips_are_augmented_where_they_are(names, fakes):
    clips = torch.empty(3, 4, 3, 24, 24, device=CUDA)
    varied = augment(clips, names, 1, 1, ["one", "two", "three"])
    assert varied.is_cuda
    assert varied.shape == clips.shape


@pytest.mark.parametrize("name", ["mixup", "cutmix", "videomix"])
def test_clips_are_mixed_where_they_are(name, fakes):
    clips, shares = torch.empty(3, 4, 3, 24, 24, device=CUDA), torch.empty(3, CLASSES, device=CUDA)
    mixed = mix(name, clips, shares, 1.0, np.random.default_rng(0))
    assert mixed.clips.is_cuda
    assert mixed.distributions.is_cuda


@pytest.mark.parametrize("name", plugins.names("model"))
@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_network_s_gradient_is_added_up_in_one_order(name):
    plugin = plugins.load("model", name)
    shape = plugin.examples[0]
    network = built(plugin.build, plugin.config(**plugin.small), CLASSES, shape).train()
    clips = torch.rand(2, shape.frames, 3, shape.size, shape.size, generator=torch.Generator().manual_seed(1))
    with torch.random.fork_rng(devices=[]), Unordered() as unordered:
        output = network(clips)
        (output.logits.sum() + output.features.sum()).backward()
    assert not unordered.found


@pytest.mark.parametrize("name", plugins.names("objective"))
@pytest.mark.usefixtures("as_on_a_gpu")
def test_a_loss_is_added_up_in_one_order(name):
    plugin = plugins.load("objective", name)
    loss = built(plugin.build, plugin.options(), TrainingData((50, 20, 8, 2), 3, FEATURES))
    generator = torch.Generator().manual_seed(2)
    logits, features = (torch.randn(8, size, generator=generator).requires_grad_() for size in (CLASSES, FEATURES))
    state = TrainState(progress=0.5, groups=torch.arange(8) % 3, gradient_norm=torch.tensor(1.0))
    with Unordered() as unordered:
        loss(logits, features, torch.arange(8) % CLASSES, state).loss.backward()
    assert not unordered.found


def test_an_operation_that_adds_up_in_any_order_would_be_found():
    tokens = torch.rand(1, 2, 4, 8, generator=torch.Generator().manual_seed(3)).requires_grad_()
    with Unordered() as unordered:
        nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).sum().backward()
        nn.functional.adaptive_avg_pool1d(tokens[0], 3).sum().backward()
    assert len(unordered.found) == 2
