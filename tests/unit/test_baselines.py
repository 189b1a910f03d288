"""Baselines have the parameters, the costs and the peculiarities of their originals."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, video

from harness import plugins
from models._blocks.cost import cost_of
from models._blocks.model import ClipShape, Output
from models.i3d import SamePool, Unit
from models.m3dfel import DynamicMultiInstanceNorm

UNUSED_IN_RELEASED_GCA = {
    "attention, classifier and gates of the first block": 128
    + 64 * 64
    + 64 * 28 * 28
    + 2 * 64 * 4
    + 64 * 128
    + 128 * 7,
    "biases and projection of the second": 2 * 128 + 128 * 128,
    "biases, projection and classifier of the third": 2 * 256 + 256 * 256 + 256 * 512 + 512 * 7,
    "bias of the stem": 64,
    "a sixteenth temporal position": 256 * 4 * 4,
}
PUBLISHED = {
    "c3d": (78_029_959, 38.55),
    "former_dfer": (18_031_943, 8.30),
    "gca_ial": (19_083_527 - sum(UNUSED_IN_RELEASED_GCA.values()), None),
    "i3d": (12_294_439, 27.79),
    "m3dfel": (46_823_384, None),
    "mc3_18": (11_493_831, 43.34),
    "mvit_v2_s": (34_235_527, 64.22),
    "p3d63": (24_939_975, 8.44),
    "r2plus1d_18": (31_303_716, 40.52),
    "r3d_18": (33_169_863, 40.70),
    "swin3d_t": (27_855_853, 43.88),
    "x3d": (2_989_017, 1.259),
}
"""Parameters at 7 classes and billions of multiply-accumulates, measured on the released codes (networks whose released
code computes something twice or hides its recurrent layers from the counter have no figure here)."""


def build(name: str, shape: ClipShape | None = None, **options) -> nn.Module:
    plugin = plugins.load("model", name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return plugin.build(plugin.config(**options), 7, shape or plugin.examples[0]).eval()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_baseline_has_the_parameters_and_the_cost_of_its_released_code(name):
    plugin = plugins.load("model", name)
    parameters, billions = PUBLISHED[name]
    counted = cost_of(plugin, plugin.config(), 7, plugin.input)
    assert counted.parameters == parameters
    if billions:
        assert counted.multiply_accumulates / 1e9 == pytest.approx(billions, abs=0.006)


def test_the_parameters_left_out_of_gca_are_those_that_the_card_says():
    assert sum(UNUSED_IN_RELEASED_GCA.values()) == 285_504


def test_resnet_and_lstm_with_bottlenecks_are_what_the_dfew_authors_train():
    plugin = plugins.load("model", "resnet18_lstm")
    counted = cost_of(plugin, plugin.config(block="bottleneck"), 7, plugin.input)
    assert counted.parameters == 17_388_871


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_recurrent_baselines_are_torchvision_s_resnet_and_pytorch_s_cell(cell):
    plugin = plugins.load("model", f"resnet18_{cell}")
    with torch.device("meta"):
        encoder = resnet18(weights=None)
        recurrent = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](512, 256, 3)
    parts = [*encoder.parameters(), *recurrent.parameters()]
    expected = sum(one.numel() for one in parts) - encoder.fc.weight.numel() - 1000 + 16 * 256 * 7 + 7
    assert cost_of(plugin, plugin.config(), 7, plugin.input).parameters == expected


def test_the_frame_network_computes_what_torchvision_s_resnet_does():
    network = build("resnet18_lstm", layers=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        theirs = resnet18(weights=None).eval()
        frames = torch.rand(2, 3, 40, 40)
    theirs.fc = nn.Identity()
    network.encoder.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network.encoder(frames), theirs(frames))


@pytest.mark.parametrize("name", ["swin3d_t", "mvit_v2_s"])
def test_torchvision_s_transformers_are_rebuilt_tensor_for_tensor(name):
    with torch.device("meta"):
        theirs = {key: value.shape for key, value in getattr(video, name)(weights=None).state_dict().items()}
        plugin = plugins.load("model", name)
        ours = plugin.build(plugin.config(), 400, plugin.input).state_dict()
    translated = {plugin.checkpoint_key(key): shape for key, shape in theirs.items()}
    translated.pop(None)
    own = {key: value.shape for key, value in ours.items() if not key.startswith("classifier.")}
    assert own == translated


@pytest.mark.parametrize("name", ["swin3d_t", "mvit_v2_s"])
def test_torchvision_s_transformers_are_rebuilt_layer_for_layer(name):
    with torch.device("meta"):
        theirs = getattr(video, name)(weights=None)
        plugin = plugins.load("model", name)
        ours = plugin.build(plugin.config(), 400, plugin.input).encoder
    theirs.head = ours.head = nn.Identity()
    assert repr(ours) == repr(theirs)


def test_mvit_refuses_sides_that_its_pooling_does_not_divide():
    with pytest.raises(ValueError, match="a side that is a multiple of 32"):
        build("mvit_v2_s", ClipShape(16, 112))


def test_m3dfel_refuses_clips_that_are_not_bags():
    with pytest.raises(ValueError, match="two or more instances of 4 frames"):
        build("m3dfel", ClipShape(6, 32))


def test_c3d_and_p3d_refuse_clips_that_they_would_pool_away():
    for name in ("c3d", "p3d63"):
        with pytest.raises(ValueError, match="8 frames"):
            build(name, ClipShape(8, 64))


def test_instances_of_a_bag_are_normalised_by_the_blend_of_channel_and_bag_statistics():
    generator = torch.Generator().manual_seed(0)
    bag = torch.randn(3, 4, 10, generator=generator, dtype=torch.float64)
    layer = DynamicMultiInstanceNorm(10).double()
    with torch.no_grad():
        layer.mean_blend.copy_(torch.tensor([0.3, -0.5]))
        layer.variance_blend.copy_(torch.tensor([1.0, 0.2]))
        layer.scale.uniform_(0.5, 1.5, generator=generator)
        layer.shift.normal_(generator=generator)
    x = bag.transpose(1, 2)
    mean_in, var_in = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=True)
    mean_ln = mean_in.mean(1, keepdim=True)
    var_ln = (var_in + mean_in**2).mean(1, keepdim=True) - mean_ln**2
    a, b = torch.tensor([0.3, -0.5]).softmax(0), torch.tensor([1.0, 0.2]).softmax(0)
    mean, var = a[0] * mean_in + a[1] * mean_ln, b[0] * var_in + b[1] * var_ln
    expected = (x - mean) / (var + 1e-5).sqrt() * layer.scale.view(1, -1, 1) + layer.shift.view(1, -1, 1)
    torch.testing.assert_close(layer(bag), expected.transpose(1, 2), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("side", "stride"), [(7, 2), (8, 2), (9, 2), (5, 1)])
def test_i3d_rounds_divided_sides_up(side, stride):
    with torch.random.fork_rng(devices=[]):
        unit = Unit(1, 1, 3, stride).eval()
    volume = torch.rand(1, 1, side, side, side, generator=torch.Generator().manual_seed(0))
    sides = (-(-side // stride),) * 3
    assert unit(volume).shape[2:] == sides
    assert SamePool((3, 3, 3), (stride,) * 3)(volume).shape[2:] == sides


def test_i3d_puts_the_odd_zero_behind():
    pool = SamePool((1, 1, 2), (1, 1, 2))
    volume = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 1, 3)
    assert pool(volume).flatten().tolist() == [2.0, 3.0]


def test_p3d_arranges_its_blocks_in_turn_and_ends_flat():
    network = build("p3d63", width=8)
    kinds = [stage.arrangement for stage in network.stages if hasattr(stage, "arrangement")]
    assert kinds == ["serial", "parallel", "both"] * 4 + ["serial"] + ["flat"] * 3


def test_gca_gives_auxiliary_scores_from_its_lower_gates():
    network = build("gca_ial", width=8)
    clips = torch.rand(2, 4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    output = network(clips)
    assert isinstance(output, Output)
    output.auxiliary.sum().backward()
    assert network.lower.judge[1].weight.grad.abs().sum() > 0
    assert network.classifier.weight.grad is None
