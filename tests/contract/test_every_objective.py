"""Every loss file keeps the contract: finite on any batch, a gradient for the logits, and no opinion about order."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from harness import plugins
from harness.errors import HarnessError
from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.train.options import typed_options

NAMES = plugins.names("objective")
CLASSES = 4
FEATURES = 6
COUNTS = (50, 20, 8, 2)


@pytest.fixture(params=NAMES)
def plugin(request) -> Objective:
    return plugins.load("objective", request.param)


def build(plugin: Objective, counts: tuple[int, ...] = COUNTS) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return plugin.build(plugin.options(), TrainingData(counts, 3, FEATURES))


def batch(labels: list[int], scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor, TrainState]:
    generator = torch.Generator().manual_seed(len(labels))
    logits = scale * torch.randn(len(labels), CLASSES, generator=generator)
    features = torch.randn(len(labels), FEATURES, generator=generator)
    groups = torch.arange(len(labels)) % 3
    return logits, features, torch.tensor(labels), TrainState(progress=0.5, groups=groups)


BATCHES = {
    "all classes": [0, 0, 1, 1, 2, 2, 3, 3],
    "one class": [1, 1, 1, 1],
    "one clip": [2],
    "two clips of one class": [0, 0],
    "every class once": [0, 1, 2, 3],
    "a class missing": [0, 0, 3, 3, 1],
}


@pytest.mark.parametrize("labels", BATCHES.values(), ids=BATCHES.keys())
@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_loss_and_gradients_are_finite(plugin, labels, scale):
    logits, features, targets, state = batch(labels, scale)
    logits.requires_grad_()
    features.requires_grad_()
    result = build(plugin)(logits, features, targets, state)
    result.loss.backward()
    assert isinstance(result, LossParts)
    assert torch.isfinite(result.loss)
    assert torch.isfinite(logits.grad).all()
    assert features.grad is None or torch.isfinite(features.grad).all()
    assert all(torch.isfinite(part) and not part.requires_grad for part in result.parts.values())


def test_features_of_no_length_do_no_harm(plugin):
    logits, features, labels, state = batch([0, 0, 1, 1])
    features = torch.zeros_like(features).requires_grad_()
    result = build(plugin)(logits.requires_grad_(), features, labels, state)
    result.loss.backward()
    assert torch.isfinite(result.loss)
    assert features.grad is None or torch.isfinite(features.grad).all()


def test_a_class_without_training_clips_is_possible(plugin):
    logits, features, labels, state = batch([0, 0, 1, 1])
    assert torch.isfinite(build(plugin, (5, 3, 0, 1))(logits, features, labels, state).loss)


def test_a_step_on_the_logits_lowers_the_loss(plugin):
    logits, features, labels, state = batch(BATCHES["all classes"])
    logits.requires_grad_()
    before = build(plugin)(logits, features, labels, state).loss
    before.backward()
    assert logits.grad.abs().sum() > 0
    moved = (logits - 1e-3 * logits.grad / logits.grad.norm()).detach()
    assert build(plugin)(moved, features, labels, state).loss < before


def test_the_order_of_clips_does_not_matter(plugin):
    logits, features, labels, state = batch(BATCHES["a class missing"])
    order = torch.tensor([3, 0, 4, 2, 1])
    shuffled = dataclasses.replace(state, groups=state.groups[order])
    one = build(plugin)(logits, features, labels, state).loss
    other = build(plugin)(logits[order], features[order], labels[order], shuffled).loss
    torch.testing.assert_close(one, other)


def test_inputs_are_left_as_they_were(plugin):
    logits, features, labels, state = batch(BATCHES["all classes"])
    copies = logits.clone(), features.clone(), labels.clone()
    build(plugin)(logits, features, labels, state)
    assert all(torch.equal(one, other) for one, other in zip(copies, (logits, features, labels), strict=True))


def test_one_hot_label_distributions_mean_the_same_as_labels(plugin):
    logits, features, labels, state = batch(BATCHES["all classes"])
    soft = dataclasses.replace(state, label_distributions=nn.functional.one_hot(labels, CLASSES).float())
    hard_loss = build(plugin)(logits, features, labels, state).loss
    soft_loss = build(plugin)(logits, features, labels, soft).loss
    torch.testing.assert_close(hard_loss, soft_loss)


def test_class_probabilities_move_the_gradient_of_an_objective_that_takes_them(plugin):
    logits, features, labels, state = batch(BATCHES["all classes"])
    soft = 0.6 * nn.functional.one_hot(labels, CLASSES).float() + 0.4 / CLASSES
    gradients = []
    for one in (state, dataclasses.replace(state, label_distributions=soft)):
        logits = logits.detach().requires_grad_()
        build(plugin)(logits, features, labels, one).loss.backward()
        gradients.append(logits.grad)
    assert torch.equal(*gradients) != plugin.takes_distributions


def test_an_unknown_option_is_refused(plugin):
    with pytest.raises(HarnessError, match="no option 'colour_of_the_sky'"):
        typed_options("objective", plugin.options, {"colour_of_the_sky": "blue"})


def test_the_card_is_filled_in(plugin):
    assert plugin.title
    assert plugin.paper
    assert dataclasses.is_dataclass(plugin.options)
    assert plugin.options.__dataclass_params__.frozen
