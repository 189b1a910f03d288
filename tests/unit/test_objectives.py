"""Losses against closed forms and independent implementations."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

from harness import plugins
from harness.objectives._contract import LossParts, TrainingData, TrainState
from harness.objectives.chi2_dro import worst_weights
from harness.objectives.cvar_dro import conditional_value_at_risk
from models._blocks.classifier import CosineClassifier

DFEW_FOLD_1 = (1956, 1515, 2135, 1738, 1175, 116, 721)
LABELS = torch.tensor([0, 1, 2, 3, 4, 5, 6, 5])
GROUPS = torch.tensor([0, 0, 1, 1, 1, 2, 2, 2])


def logits() -> Tensor:
    return torch.randn(8, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def features() -> Tensor:
    return torch.randn(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def module(name: str, counts=DFEW_FOLD_1, groups: int = 3, **options):
    plugin = plugins.load("objective", name)
    return plugin.build(plugin.options(**options), TrainingData(counts, groups, 5)).double()


def evaluate(name: str, state: TrainState | None = None, **options) -> LossParts:
    state = state or TrainState(groups=GROUPS)
    return module(name, **options)(logits(), features(), LABELS, state)


@pytest.mark.parametrize("certain", [1e-3, 0.3, 0.9])
def test_one_hot_losses_have_their_closed_form(certain):
    """One clip of two classes with the target's chance given."""
    scores = torch.tensor([[math.log(certain), math.log(1 - certain)]], dtype=torch.float64)
    said = (scores, torch.zeros(1, 5, dtype=torch.float64), torch.tensor([0]), TrainState(groups=torch.tensor([0])))
    ce = -math.log(certain)

    def value(name, **options):
        return module(name, (3, 1), 2, **options)(*said).loss.item()

    assert value("cross_entropy", label_smoothing=0.0) == pytest.approx(ce)
    assert value("cross_entropy", label_smoothing=0.2) == pytest.approx(0.9 * ce - 0.1 * math.log(1 - certain))
    assert value("focal", gamma=2.0) == pytest.approx((1 - certain) ** 2 * ce)
    adjusted = certain * 0.75 / (certain * 0.75 + (1 - certain) * 0.25)
    assert value("logit_adjusted") == pytest.approx(-math.log(adjusted))
    assert value("ial", intensity_weight=0.1) == pytest.approx(1.1 * ce)
    margin = 0.5 * (1 / 3) ** 0.25
    shifted = certain / (certain + (1 - certain) * math.exp(margin))
    assert value("ldam_drw", scale=1.0) == pytest.approx(-math.log(shifted), rel=1e-6)
    assert value("supcon", label_smoothing=0.0) == pytest.approx(ce)
    assert value("cvar_dro") == value("chi2_dro") == value("vrex") == pytest.approx(ce)
    assert value("group_dro", step=0.5) == pytest.approx(ce * math.exp(0.5 * ce) / (1 + math.exp(0.5 * ce)))


def test_class_balanced_weights_are_the_published_ones_for_dfew():
    weights = module("class_balanced", beta=0.9999).weights
    expected = [0.293, 0.371, 0.271, 0.327, 0.470, 4.519, 0.749]
    np.testing.assert_allclose(weights.numpy(), expected, atol=6e-4)
    assert weights.sum().item() == pytest.approx(7)


def test_class_balanced_loss_weights_each_clip_by_its_class():
    weights = module("class_balanced").weights
    each = functional.cross_entropy(logits(), LABELS, reduction="none")
    torch.testing.assert_close(evaluate("class_balanced").loss, (weights[LABELS] * each).mean())


def test_log_priors_are_the_published_ones_for_dfew():
    expected = [-1.565, -1.821, -1.478, -1.683, -2.075, -4.390, -2.563]
    np.testing.assert_allclose(module("logit_adjusted").shift.numpy(), expected, atol=6e-4)


def test_margins_are_the_published_ones_for_dfew():
    expected = [0.247, 0.263, 0.241, 0.254, 0.280, 0.500, 0.317]
    np.testing.assert_allclose(module("ldam_drw", scale=1.0).margins.numpy(), expected, atol=6e-4)


@pytest.mark.parametrize("progress", [0.0, 0.9])
def test_ldam_is_that_of_pytorch_optimizer(progress):
    losses = pytest.importorskip("pytorch_optimizer", reason="pytorch-optimizer is absent")
    cosines = torch.tanh(logits()).float()
    loss = module("ldam_drw").float()
    weights = loss.weights if progress > 0.8 else None
    expected = losses.LDAMLoss(list(DFEW_FOLD_1), max_m=0.5, weight=weights, s=30.0)(cosines, LABELS)
    got = loss(30 * cosines, features().float(), LABELS, TrainState(progress=progress)).loss
    torch.testing.assert_close(got, expected)


def test_a_cosine_classifier_gives_scaled_cosines():
    with torch.random.fork_rng(devices=[]):
        classifier = CosineClassifier(5, 7).double()
    expected = 30 * functional.cosine_similarity(features()[:, None], classifier.weight[None], dim=2)
    torch.testing.assert_close(classifier(features()), expected)


def test_focal_loss_without_focus_is_cross_entropy():
    torch.testing.assert_close(evaluate("focal", gamma=0.0).loss, functional.cross_entropy(logits(), LABELS))


def test_supcon_is_that_of_pytorch_metric_learning():
    theirs = pytest.importorskip("pytorch_metric_learning.losses", reason="pytorch-metric-learning is absent")
    torch.testing.assert_close(
        evaluate("supcon").parts["contrast"], theirs.SupConLoss(temperature=0.07)(features(), LABELS)
    )


def test_intensity_is_the_two_way_loss_against_the_strongest_rival():
    scores = logits()
    expected = []
    for row, label in zip(scores, LABELS, strict=True):
        rival = max(float(row[k]) for k in range(7) if k != label)
        expected.append(-math.log(math.exp(row[label]) / (math.exp(row[label]) + math.exp(rival))))
    assert evaluate("ial").parts["rivalry"].item() == pytest.approx(np.mean(expected))


def test_the_auxiliary_classifier_adds_a_twentieth_of_its_cross_entropy():
    auxiliary = 2 * logits()
    with_it = evaluate("ial", TrainState(auxiliary=auxiliary)).loss
    expected = evaluate("ial").loss + 0.05 * functional.cross_entropy(auxiliary, LABELS)
    torch.testing.assert_close(with_it, expected)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.3, 0.55, 1.0])
def test_value_at_risk_is_the_smallest_over_thresholds(alpha):
    """Rockafellar and Uryasev's dual, whose minimum lies at one of the losses."""
    losses = torch.rand(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share = max(alpha, 1 / 9)
    dual = min((t + (losses - t).clamp(min=0).mean() / share).item() for t in losses)
    assert conditional_value_at_risk(losses, alpha).item() == pytest.approx(dual)


@pytest.mark.parametrize("radius", [0.0, 0.05, 0.5, 1.0, 10.0])
def test_the_worst_reweighting_in_the_ball_is_the_one_that_an_optimiser_finds(radius):
    losses = torch.rand(6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    weights = worst_weights(losses, radius)
    constraints = [
        {"type": "eq", "fun": lambda q: q.sum() - 1},
        {"type": "ineq", "fun": lambda q: radius - 0.5 * np.mean((6 * q - 1) ** 2)},
    ]
    found = minimize(
        lambda q: -q @ losses.numpy(),
        np.full(6, 1 / 6),
        bounds=[(0, 1)] * 6,
        constraints=constraints,
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert (weights @ losses).item() == pytest.approx(-found.fun, abs=1e-5)
    assert 0.5 * (6 * weights - 1).square().mean().item() <= radius + 1e-9


def test_equal_losses_are_weighted_equally():
    torch.testing.assert_close(worst_weights(torch.full((5,), 2.0), 1.0), torch.full((5,), 0.2))


def test_the_robust_gradient_is_that_of_the_weighted_losses():
    scores = logits().requires_grad_()
    module("chi2_dro")(scores, features(), LABELS, TrainState()).loss.backward()
    other = logits().requires_grad_()
    losses = functional.cross_entropy(other, LABELS, reduction="none")
    (worst_weights(losses.detach(), 1.0) * losses).sum().backward()
    torch.testing.assert_close(scores.grad, other.grad)


def group_means() -> Tensor:
    each = functional.cross_entropy(logits(), LABELS, reduction="none")
    return torch.stack([each[g == GROUPS].mean() for g in range(3)])


def test_group_weights_follow_the_exponentiated_gradient():
    loss = module("group_dro", step=0.5)
    first = loss(logits(), features(), LABELS, TrainState(groups=GROUPS)).loss
    weights = torch.softmax(0.5 * group_means(), 0)
    torch.testing.assert_close(first, (weights * group_means()).sum())
    loss(logits(), features(), LABELS, TrainState(groups=GROUPS))
    torch.testing.assert_close(loss.weights, torch.softmax(group_means(), 0))


def test_group_weights_rest_in_evaluation():
    loss = module("group_dro").eval()
    loss(logits(), features(), LABELS, TrainState(groups=GROUPS))
    torch.testing.assert_close(loss.weights, torch.full((3,), 1 / 3, dtype=torch.float64), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("progress", "factor"), [(0.0, 1.0), (0.5, 10.0)])
def test_risk_extrapolation_penalises_the_variance_of_group_losses(progress, factor):
    got = evaluate("vrex", TrainState(groups=GROUPS, progress=progress)).loss
    expected = group_means().mean() + factor * (group_means() - group_means().mean()).square().mean()
    torch.testing.assert_close(got, expected)


def test_groups_without_a_clip_in_the_batch_do_not_count_as_losses_of_zero():
    got = evaluate("vrex", groups=9, state=TrainState(groups=GROUPS, progress=0.5))
    torch.testing.assert_close(got.parts["group_mean"], group_means().mean())


@pytest.mark.parametrize("name", ["group_dro", "vrex"])
def test_classes_serve_as_groups_where_there_are_no_domains(name):
    with pytest.raises(ValueError, match="group_by: class"):
        module(name, groups=1)
    by_class = module(name, groups=1, group_by="class")
    assert torch.isfinite(by_class(logits(), features(), LABELS, TrainState()).loss)


@pytest.mark.parametrize("name", sorted(set(plugins.names("objective")) - {"group_dro", "vrex"}))
def test_the_loss_moves_with_mixed_labels(name):
    state = TrainState(groups=GROUPS)
    one, other = functional.one_hot(LABELS, 7).double(), functional.one_hot((LABELS + 1) % 7, 7).double()
    mixed = dataclasses.replace(state, label_distributions=0.7 * one + 0.3 * other)
    pure = dataclasses.replace(state, label_distributions=one)
    values = [module(name)(logits(), features(), LABELS, s).loss.item() for s in (pure, mixed)]
    assert all(math.isfinite(value) for value in values)
    assert values[0] != values[1]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cvar_dro", {"alpha": 0.0}),
        ("chi2_dro", {"radius": -1.0}),
        ("focal", {"gamma": -1.0}),
        ("class_balanced", {"beta": 1.0}),
    ],
)
def test_numbers_out_of_range_are_refused(name, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        module(name, **options)
