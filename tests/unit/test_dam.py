"""The attention of HDF is the released order of operations, for less work."""

import math

import pytest
import scipy.fft
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import plugins
from models._blocks.dam import DAM, DamConfig, bin_averages, bin_maxima, dct_bank
from models._blocks.model import ClipShape

hdf = plugins.load("model", "hdf")
FRAMES = 16


def attention(frames: int = FRAMES, **switches) -> DAM:
    """A module whose every parameter has moved from its initial value, so that each one matters."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = DAM(frames, DamConfig(**switches))
        for parameter in module.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return module.double()


def feature_map(channels: int = 24, frames: int = FRAMES, size: int = 9) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, channels, frames, size, size, generator=generator, dtype=torch.float64)


def released_temporal_gate(gate: nn.Module, x: Tensor, differences: str = "bins") -> Tensor:
    """Section 2.2 of the released code's order, on clips ``b t c h w``: gates ``b t``."""
    t = x.shape[1]
    average = functional.adaptive_avg_pool3d(x, (t, 1, 1))
    maximum = functional.adaptive_max_pool3d(x, (t, 1, 1))
    deviation = (average - average.mean(2, keepdim=True)).norm(dim=2, keepdim=True).expand_as(average)
    fused = gate.average_weight * average + gate.maximum_weight * maximum
    change = torch.zeros_like(average)
    if differences == "bins":
        change[:, :, 1:] = (average[:, :, 1:] - average[:, :, :-1]).abs()
    else:
        change[:, 1:] = (average[:, 1:] - average[:, :-1]).abs()
    scale, shift = gate.scale.view(1, t, t, 1, 1), gate.deviation_weight.view(1, t, t, 1, 1)
    robust = torch.sigmoid(scale * fused + shift * deviation - change)[..., 0, 0]
    tokens = gate.mix(robust.transpose(1, 2)).transpose(1, 2)
    query, key, value = gate.query(tokens), gate.key(tokens), gate.value(tokens)
    weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(t), dim=2)
    return torch.sigmoid((weights @ value).mean(2))


def released_frequency_gate(gate: nn.Module, x: Tensor) -> Tensor:
    """Section 2.3 of the released code's order, on clips ``b t c h w``, the bank repeated over channels: ``b h w``."""
    image = x.mean(1)
    bank = gate.bank.expand(-1, image.shape[1], -1, -1)
    f = functional.conv2d(image, bank, padding=3)
    spread = (f - f.mean((2, 3), keepdim=True)).flatten(2).norm(dim=2)[..., None, None]
    step = gate.noise * gate.noise_weight * f.sign() + 0.05 * gate.deviation_weight * spread * f.sign()
    f = (gate.clean_weight * f + gate.perturbed_weight * (f + step)) / 2
    std = torch.sqrt(f.var(1, unbiased=True, keepdim=True) + 1e-6) + 1e-6
    f = torch.tanh(gate.squash.alpha / std * f) * gate.squash.gamma + gate.squash.beta
    return torch.sigmoid(functional.conv2d(f, gate.collect.weight, padding=3))[:, 0]


@pytest.mark.parametrize("channels", [8, 24, 48])
def test_the_module_computes_what_the_released_order_of_operations_does(channels):
    module, volume = attention(), feature_map(channels)
    x = volume.transpose(1, 2)
    in_time = x * released_temporal_gate(module.temporal, x)[:, :, None, None, None] + x
    in_space = x * released_frequency_gate(module.frequency, x)[:, None, None] + x
    expected = (module.temporal_weight * in_time + module.frequency_weight * in_space) / 2
    torch.testing.assert_close(module(volume), expected.transpose(1, 2))


def test_differences_can_be_taken_over_frames():
    module, volume = attention(difference="frames"), feature_map()
    expected = released_temporal_gate(module.temporal, volume.transpose(1, 2), "frames")
    torch.testing.assert_close(module.temporal(volume), expected)
    assert not torch.allclose(expected, released_temporal_gate(module.temporal, volume.transpose(1, 2), "bins"))


def test_a_branch_that_is_off_passes_its_input_on():
    volume = feature_map()
    module = attention(frequency=False)
    x = volume.transpose(1, 2)
    in_time = x * released_temporal_gate(module.temporal, x)[:, :, None, None, None] + x
    expected = (module.temporal_weight * in_time + module.frequency_weight * x) / 2
    torch.testing.assert_close(module(volume), expected.transpose(1, 2))


def test_the_bank_is_the_orthonormal_discrete_cosine_transform():
    bank = dct_bank().double()
    basis = bank.view(49, 49)
    torch.testing.assert_close(basis @ basis.T, torch.eye(49, dtype=torch.float64), rtol=0, atol=1e-6)
    for index in (0, 1, 6, 7, 10, 48):
        spectrum = torch.zeros(7, 7, dtype=torch.float64)
        spectrum[index % 7, index // 7] = 1
        image = torch.from_numpy(scipy.fft.idctn(spectrum.numpy(), norm="ortho"))
        torch.testing.assert_close(bank[index, 0], image, rtol=0, atol=1e-6)


def test_low_indices_vary_downwards():
    bank = dct_bank()[:, 0]
    assert torch.allclose(bank[1], bank[1][:, :1].expand(7, 7))
    assert torch.allclose(bank[7], bank[7][:1].expand(7, 7))


def test_the_module_has_4237_parameters_at_16_frames_and_no_saved_bank():
    module = attention()
    assert sum(parameter.numel() for parameter in module.parameters()) == 4237
    assert "frequency.bank" not in module.state_dict()


@pytest.mark.parametrize("frames", [1, 7, 16, 31])
def test_clips_of_any_length_are_gated(frames):
    module, volume = attention(), feature_map(frames=frames)
    gated = module(volume)
    assert gated.shape == volume.shape
    assert torch.isfinite(gated).all()


def test_a_still_clip_has_the_same_gates_at_any_length():
    module, one = attention(), feature_map(frames=1)
    gates = [module.temporal(one.expand(-1, -1, frames, -1, -1)) for frames in (16, 32)]
    assert gates[0].shape == (2, 16)
    assert gates[1].shape == (2, 32)
    torch.testing.assert_close(functional.interpolate(gates[0][:, None], 32, mode="linear")[:, 0], gates[1])


def test_initial_values_are_the_published_ones():
    with torch.random.fork_rng(devices=[]):
        module = DAM(FRAMES)
    temporal, frequency = module.temporal, module.frequency
    scalars = {"temporal_weight": 0.8, "frequency_weight": 0.3}
    assert {name: round(getattr(module, name).item(), 6) for name in scalars} == scalars
    assert temporal.average_weight.item() == temporal.maximum_weight.item() == 0.5
    assert frequency.clean_weight.item() == frequency.perturbed_weight.item() == frequency.squash.alpha.item() == 0.5
    assert torch.equal(temporal.scale, torch.ones(16, 16))
    assert not temporal.deviation_weight.any()
    assert not frequency.deviation_weight.any()
    assert 0.05 < frequency.noise.std().item() < 0.2


def test_hdf_without_attention_is_its_trunk_and_a_linear_classifier():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = hdf.build(
            hdf.config(temporal=False, frequency=False, width=0.5, depth=0.2), 7, ClipShape(8, 32)
        ).eval()
        clips = torch.rand(1, 8, 3, 32, 32)
    with torch.no_grad():
        features = network.trunk(network.normalise(clips).transpose(1, 2)).mean((2, 3, 4))
        torch.testing.assert_close(network(clips).logits, network.classifier(features))


def test_hdf_adds_four_attention_modules_and_a_linear_classifier_to_the_trunk():
    with torch.random.fork_rng(devices=[]):
        network = hdf.build(hdf.config(), 7, ClipShape(16, 112))
    assert network.trunk.channels == (24, 48, 96, 192)
    trunk = 2_989_017 - 982_887
    assert sum(parameter.numel() for parameter in network.parameters()) == trunk + 4 * 4237 + 192 * 7 + 7


@pytest.mark.parametrize("channels", [1, 5, 16, 24, 25, 192])
@pytest.mark.parametrize("bins", [1, 4, 16, 32])
@pytest.mark.parametrize(
    ("ours", "torch_s"),
    [(bin_averages, functional.adaptive_avg_pool1d), (bin_maxima, functional.adaptive_max_pool1d)],
)
def test_bins_of_channels_and_their_gradients_are_those_of_adaptive_pooling(channels, bins, ours, torch_s):
    generator = torch.Generator().manual_seed(channels)
    values = torch.randn(2, 3, channels, generator=generator).mul(2).round().relu()  # with ties, which one channel wins
    weights = torch.randn(2, 3, bins, generator=generator)
    found = []
    for pool in (ours, torch_s):
        given = values.clone().requires_grad_()
        pooled = pool(given, bins)
        (pooled * weights).sum().backward()
        found.append((pooled, given.grad))
    torch.testing.assert_close(found[0], found[1])
