"""X3D is the network that pytorchvideo builds, and its convolutions are the ones of PyTorch."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from harness import plugins
from models._blocks.model import ClipShape
from models._blocks.x3d_convolutions import (
    DepthwiseConv3d,
    PointwiseConv3d,
    SpatialConv3d,
    TemporalDepthwiseConv3d,
)
from models._blocks.x3d_trunk import Bottleneck

x3d = plugins.load("model", "x3d")
VARIANTS = {"XS": (2.2, 4, 64), "S": (2.2, 13, 64), "M": (2.2, 16, 96), "L": (5.0, 16, 64)}


def original(depth: float, frames: int, size: int) -> nn.Module:
    """Pytorchvideo's network with random weights and running statistics."""
    theirs = pytest.importorskip("pytorchvideo.models.x3d", reason="pytorchvideo is not installed")
    network = theirs.create_x3d(
        model_num_class=7,
        depth_factor=depth,
        input_clip_length=frames,
        input_crop_size=size,
        head_activation=None,
        dropout_rate=0.0,
    )
    for layer in (one for one in network.modules() if isinstance(one, nn.BatchNorm3d)):
        layer.weight.data.uniform_(0.5, 1.5)
        layer.bias.data.normal_(0, 0.1)
        layer.running_mean.normal_(0, 0.1)
        layer.running_var.uniform_(0.5, 1.5)
    return network


def pair(name: str) -> tuple[nn.Module, nn.Module, torch.Tensor]:
    depth, frames, size = VARIANTS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = original(depth, frames, size)
        ours = x3d.build(x3d.config(depth=depth, dropout=0.0), 7, ClipShape(frames, size))
        clips = torch.rand(2, frames, 3, size, size)
    own = ours.state_dict()
    copied = {x3d.checkpoint_key(key): value for key, value in theirs.state_dict().items()}
    assert own.keys() == copied.keys()
    ours.load_state_dict({key: value.view_as(own[key]) for key, value in copied.items()})
    return theirs, ours, clips


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", VARIANTS)
def test_scores_equal_those_of_pytorchvideo_with_its_weights(name):
    theirs, ours, clips = pair(name)
    with torch.no_grad():
        expected = theirs.eval()(((clips - 0.45) / 0.225).transpose(1, 2))
        got = ours.eval()(clips).logits
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gradients_equal_those_of_pytorchvideo_with_its_weights():
    theirs, ours, clips = pair("XS")
    ours.double().train()(clips.double()).logits.square().sum().backward()
    theirs.double().train()(ours.normalise(clips.double()).transpose(1, 2)).square().sum().backward()
    gradients = dict(ours.named_parameters())
    for key, parameter in theirs.named_parameters():
        got = gradients[x3d.checkpoint_key(key)].grad
        torch.testing.assert_close(got, parameter.grad.view_as(got), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("depth", "classes", "count"), [(2.2, 400, 3_794_274), (2.2, 7, 2_989_017), (5.0, 7, 5_348_127)]
)
def test_parameters_are_as_many_as_published(depth, classes, count):
    with torch.random.fork_rng(devices=[]):
        network = x3d.build(x3d.config(depth=depth), classes, ClipShape(16, 112))
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_kinetics_recipe_starts_every_block_as_its_shortcut():
    with torch.random.fork_rng(devices=[]):
        network = x3d.build(x3d.config(width=0.5, depth=0.2, init="slowfast"), 7, ClipShape(4, 32)).eval()
        volume = torch.rand(1, 8, 4, 6, 6)
    block = network.trunk.stages[0][0]
    assert isinstance(block, Bottleneck)
    with torch.no_grad():
        torch.testing.assert_close(block(volume), torch.relu(block.shortcut(volume)))


CONVOLUTIONS = {
    "depthwise": lambda: DepthwiseConv3d(4, 3, 1),
    "depthwise strided": lambda: DepthwiseConv3d(4, 3, 2),
    "depthwise wide": lambda: DepthwiseConv3d(4, 5, 2),
    "temporal": lambda: TemporalDepthwiseConv3d(4, 5),
    "spatial": lambda: SpatialConv3d(4, 6, 3, stride=2),
    "pointwise": lambda: PointwiseConv3d(4, 6),
    "pointwise strided": lambda: PointwiseConv3d(4, 6, 2),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("frames", [1, 2, 6])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_fast_convolution_and_its_gradients_equal_the_library_s(name, frames, layout):
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        layer = CONVOLUTIONS[name]().double()
    volume = torch.randn(2, 4, frames, 9, 8, generator=generator, dtype=torch.float64).contiguous(memory_format=layout)
    ours, theirs = volume.clone().requires_grad_(), volume.clone().requires_grad_()
    weight = layer.weight.detach().clone().requires_grad_()
    expected = functional.conv3d(theirs, weight, None, layer.stride, layer.padding, groups=layer.groups)
    got = layer(ours)
    towards = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    (expected * towards).sum().backward()
    (got * towards).sum().backward()
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(layer.weight.grad, weight.grad)


def test_a_frozen_input_costs_no_input_gradient_and_changes_no_weight_gradient():
    with torch.random.fork_rng(devices=[]):
        layer = DepthwiseConv3d(3, 3, 1)
        volume = torch.rand(1, 3, 4, 5, 5)
    layer(volume).sum().backward()
    alone = layer.weight.grad.clone()
    layer.weight.grad = None
    layer(volume.requires_grad_()).sum().backward()
    torch.testing.assert_close(layer.weight.grad, alone)
