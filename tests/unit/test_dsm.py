"""DSM as drawn and as released, against their formulas written pair by pair."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from harness import plugins
from harness.objectives._contract import LossParts, TrainingData, TrainState

dsm = plugins.load("objective", "dsm")
dsm_as_published = plugins.load("objective", "dsm_as_published")
DATA = TrainingData((9, 9, 9), 1, 5)
LABELS = torch.tensor([0, 0, 1, 1, 1, 2])


def features(seed: int = 0) -> Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def logits() -> Tensor:
    return torch.randn(6, 3, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def loss(
    plugin=dsm, labels: Tensor = LABELS, z: Tensor | None = None, norm: float | None = None, **options
) -> LossParts:
    state = TrainState(gradient_norm=None if norm is None else torch.tensor(norm))
    z = features() if z is None else z
    return plugin.build(plugin.options(**options), DATA)(logits()[: len(z)], z, labels, state)


def drawn_contrast(z: Tensor, labels: Tensor, eta: float, tau: float) -> float:
    """The figure's sum, anchor by anchor and pair by pair."""
    z = z / z.norm(dim=1, keepdim=True)
    s = [[float(z[i] @ z[j]) for j in range(len(z))] for i in range(len(z))]
    anchors = []
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if labels[p] == labels[i]]
        if not positives:
            continue
        weight = {a: math.exp(-((s[i][a] - eta) ** 2) / (2 * eta**2)) for a in others}
        below = sum(weight[a] * math.exp(s[i][a] / tau) for a in others)
        anchors.append(-sum(math.log(math.exp(s[i][p] / tau) / below) for p in positives) / len(positives))
    return sum(anchors) / len(anchors)


@pytest.mark.parametrize(("eta", "tau"), [(0.2, 0.07), (0.5, 0.2)])
def test_the_contrast_is_the_drawn_sum(eta, tau):
    got = loss(eta=eta, tau=tau).parts["contrast"].item()
    assert got == pytest.approx(drawn_contrast(features(), LABELS, eta, tau), rel=1e-9)


def test_the_trace_is_that_of_the_covariance_matrix():
    z = functional.normalize(features(), dim=1)
    expected = torch.trace(torch.cov(z.T, correction=0))
    torch.testing.assert_close(loss().parts["trace"], expected)
    torch.testing.assert_close(expected, 1 - z.mean(0).square().sum())


def test_the_trace_within_classes_is_zero_where_each_class_is_one_point():
    z = torch.eye(5, dtype=torch.float64)[LABELS]
    assert loss(z=z, ib_scope="within_class").parts["trace"].item() == pytest.approx(0, abs=1e-12)
    assert loss(z=z).parts["trace"].item() > 0.5


def test_the_loss_is_the_scaled_sum_of_its_parts():
    result = loss(norm=3.0, alpha=10.0, beta=0.1, ib_coefficient=0.5)
    ce, contrast, trace = (result.parts[name].item() for name in ("cross_entropy", "contrast", "trace"))
    assert result.loss.item() == pytest.approx(10 * 0.75 * ce + 0.1 / 4 * (contrast + 0.5 * trace))


def test_the_sign_of_the_bottleneck_can_be_the_released_one():
    plus, minus = loss(norm=1.0), loss(norm=1.0, ib_sign="spread")
    assert (plus.loss - minus.loss).item() == pytest.approx(0.05 * 2 * 0.5 * plus.parts["trace"].item())


@pytest.mark.parametrize(("norm", "scale_ce", "scale_sc"), [(None, 5.0, 0.05), (0.0, 0.0, 0.1), (1e12, 10.0, 0.0)])
def test_scales_go_from_contrast_alone_to_cross_entropy_alone(norm, scale_ce, scale_sc):
    parts = loss(norm=norm).parts
    assert parts["scale_ce"].item() == pytest.approx(scale_ce, abs=1e-9)
    assert parts["scale_sc"].item() == pytest.approx(scale_sc, abs=1e-9)


def test_constant_scales_are_the_caps():
    parts = loss(norm=0.0, scaling="constant").parts
    assert (parts["scale_ce"].item(), parts["scale_sc"].item()) == pytest.approx((10.0, 0.1))


def test_unweighted_pairs_give_supervised_contrast():
    metric_losses = pytest.importorskip("pytorch_metric_learning.losses", reason="pytorch-metric-learning is absent")
    expected = metric_losses.SupConLoss(temperature=0.07)(features(), LABELS)
    got = loss(weighted_pairs="none").parts["contrast"]
    # The library averages over all anchors that have a positive, as we do.
    torch.testing.assert_close(got, expected)


def test_weighting_negatives_alone_keeps_the_contrast_above_zero():
    z = torch.eye(5, dtype=torch.float64)[LABELS]
    assert loss(z=z).parts["contrast"].item() < 0
    assert loss(z=z, weighted_pairs="negatives").parts["contrast"].item() >= 0


def test_anchors_without_a_positive_are_left_out():
    alone = torch.tensor([0, 0, 1, 2])
    assert loss(labels=alone, z=features()[:4]).parts["contrast"].item() == pytest.approx(
        drawn_contrast(features()[:4], alone, 0.2, 0.07)
    )


def test_the_released_contrast_is_nearly_nothing_until_positives_coincide():
    far = loss(dsm_as_published, z=features())
    near = loss(dsm_as_published, z=torch.eye(5, dtype=torch.float64)[LABELS])
    assert 0 <= far.parts["contrast"].item() < 1e-3
    assert near.parts["contrast"].item() > 0.01


def test_the_released_loss_is_ten_cross_entropies_less_a_twentieth_of_the_unbiased_trace():
    result = loss(dsm_as_published)
    z = functional.normalize(features(), dim=1)
    trace = torch.trace(torch.cov(z.T) + 1e-6 * torch.eye(5))
    ce = functional.cross_entropy(logits().float(), LABELS, label_smoothing=0.1)
    expected = 10 * ce - 0.05 * trace + 0.1 * result.parts["contrast"]
    torch.testing.assert_close(result.loss, expected)


def test_the_released_contrast_is_the_released_sum():
    z = functional.normalize(features(), dim=1)
    scores = z @ z.T / 0.5
    scores = scores - scores.max(1, keepdim=True).values
    weights = torch.exp(-((scores - 0.4) ** 2) / (2 * 0.4**2))
    weights = weights / weights.sum(1, keepdim=True)
    terms = weights * (scores - scores.exp().sum(1, keepdim=True).log())
    positive = (LABELS[:, None] == LABELS) & ~torch.eye(6, dtype=torch.bool)
    anchors = [-(terms[i][positive[i]]).mean() for i in range(6) if positive[i].any()]
    got = loss(dsm_as_published, eta=0.4, tau=0.5).parts["contrast"]
    torch.testing.assert_close(got, torch.stack(anchors).mean())
