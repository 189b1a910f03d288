"""Every network file keeps the contract: shapes, batches, determinism, gradients, weights and options."""

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from harness import plugins
from harness.errors import HarnessError
from harness.train.options import typed_options
from models._blocks.model import ClipShape, Model, Output

NAMES = plugins.names("model")
CLASSES = 5


@pytest.fixture(params=NAMES, scope="module")
def plugin(request) -> Model:
    return plugins.load("model", request.param)


@pytest.fixture(scope="module")
def built(plugin: Model) -> nn.Module:
    return build(plugin, plugin.examples[0], seed=0)


@pytest.fixture
def network(built: nn.Module) -> Iterator[nn.Module]:
    """The small network as built: each test gets the same weights and statistics, in evaluation mode."""
    before = {name: value.clone() for name, value in built.state_dict().items()}
    built.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        yield built
    built.load_state_dict(before)
    built.zero_grad(set_to_none=True)


def build(plugin: Model, shape: ClipShape, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return plugin.build(plugin.config(**plugin.small), CLASSES, shape)


def clips(shape: ClipShape, count: int = 2, seed: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, shape.frames, 3, shape.size, shape.size, generator=generator)


def loss(output: Output, labels: list[int]) -> Tensor:
    """Cross-entropy of all classifiers that the network has."""
    scores = output.logits if output.auxiliary is None else output.logits + output.auxiliary
    return nn.functional.cross_entropy(scores, torch.tensor(labels))


def test_a_network_gives_logits_and_features_for_every_shape_that_it_names(plugin):
    for shape in plugin.examples:
        with torch.no_grad():
            output = build(plugin, shape, seed=0).eval()(clips(shape))
        assert isinstance(output, Output)
        assert output.logits.shape == (2, CLASSES)
        assert output.features.ndim == 2
        assert torch.isfinite(output.logits).all()
        assert torch.isfinite(output.features).all()


def test_a_clip_scores_the_same_alone_as_in_a_batch(plugin, network):
    batch = clips(plugin.examples[0], 3)
    with torch.no_grad():
        together, alone = network(batch), network(batch[1:2])
    torch.testing.assert_close(alone.logits, together.logits[1:2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(alone.features, together.features[1:2], rtol=1e-4, atol=1e-5)


def test_different_clips_score_differently(plugin, network):
    with torch.no_grad():
        logits = network(clips(plugin.examples[0])).logits
    assert not torch.equal(logits[0], logits[1])


def test_evaluation_is_deterministic(plugin, network):
    batch = clips(plugin.examples[0])
    with torch.no_grad():
        assert torch.equal(network(batch).logits, network(batch).logits)


def test_a_batch_of_one_can_be_trained_on(plugin, network):
    output = network.train()(clips(plugin.examples[0], 1))
    output.logits.logsumexp(1).sum().backward()
    assert torch.isfinite(output.logits).all()


def test_gradients_reach_every_parameter_even_from_black_white_and_still_clips(plugin, network):
    shape = plugin.examples[0]
    still = clips(shape, 1)[:, :1].expand(-1, shape.frames, -1, -1, -1)
    output = network.train()(torch.cat([clips(shape, 1), torch.zeros_like(still), torch.ones_like(still), still]))
    loss(output, [0, 1, 2, 3]).backward()
    assert torch.isfinite(output.logits).all()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        assert torch.isfinite(parameter.grad).all(), f"{name} has a gradient that is not finite"


def test_a_step_downhill_lowers_the_loss(plugin, network):
    batch, labels = clips(plugin.examples[0]), [0, 1]
    before = loss(network(batch), labels)
    before.backward()
    with torch.no_grad():
        slope = sum(parameter.grad.square().sum() for parameter in network.parameters())
        for parameter in network.parameters():
            parameter -= 1e-3 / slope * parameter.grad
        assert loss(network(batch), labels) < before


def test_saved_weights_give_the_same_network(plugin, network):
    other = build(plugin, plugin.examples[0], seed=9).eval()
    other.load_state_dict(network.state_dict())
    batch = clips(plugin.examples[0])
    with torch.no_grad():
        assert torch.equal(other(batch).logits, network(batch).logits)


def test_the_same_seed_builds_the_same_weights(plugin, network):
    twin = build(plugin, plugin.examples[0], seed=0).state_dict()
    assert all(torch.equal(value, twin[name]) for name, value in network.state_dict().items())


def test_clips_are_left_as_they_were(plugin, network):
    batch = clips(plugin.examples[0])
    before = batch.clone()
    network.train()(batch)
    assert torch.equal(batch, before)


def test_lower_precision_gives_about_the_same_scores(plugin, network):
    batch = clips(plugin.examples[0])
    with torch.no_grad():
        exact = network(batch).logits
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(batch).logits
    assert (rough.float() - exact).norm() < 0.2 * exact.norm()


def test_an_unknown_option_is_refused(plugin):
    with pytest.raises(HarnessError, match="no option 'colour_of_the_sky'"):
        typed_options("model", plugin.config, {"colour_of_the_sky": "blue"})


def test_the_card_is_filled_in(plugin):
    assert all((plugin.title, plugin.paper, plugin.licence, plugin.verified))
    assert dataclasses.is_dataclass(plugin.config)
    assert plugin.config.__dataclass_params__.frozen
    assert plugin.examples[0] != plugin.examples[1]
