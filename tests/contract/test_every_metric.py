"""Every metric file keeps the contract and agrees with an independent implementation of the same formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn import metrics as sk

from harness import plugins
from harness.metrics._contract import Metric

NAMES = plugins.names("metric")


def sample(seed: int, clips: int = 300, classes: int = 7) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.choice(classes, size=clips, p=np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    logits = generator.normal(size=(clips, classes)).astype(np.float32)
    logits[np.arange(clips), labels] += 1.2
    return logits, labels


def quantile_calibration(hit: np.ndarray, confidence: np.ndarray) -> float:
    """Fifteen equally filled bins by sorting; exact where no confidences tie and 15 divides the clips."""
    order = np.argsort(confidence)
    bins = zip(np.array_split(hit[order], 15), np.array_split(confidence[order], 15), strict=True)
    return float(np.mean([abs(own.mean() - forecast.mean()) for own, forecast in bins]))


def classwise(labels: np.ndarray, chances: np.ndarray) -> float:
    return float(np.mean([quantile_calibration(labels == k, chances[:, k]) for k in range(chances.shape[1])]))


def risk_coverage(labels: np.ndarray, chances: np.ndarray) -> float:
    order = np.argsort(-chances.max(axis=1))
    wrong = chances.argmax(axis=1)[order] != labels[order]
    return float(np.mean([wrong[: i + 1].mean() for i in range(len(labels))]))


def brier(labels: np.ndarray, chances: np.ndarray) -> float:
    return sum(sk.brier_score_loss(labels == k, chances[:, k]) for k in range(chances.shape[1]))


REFERENCES = {
    "war": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "uar": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro"),
    "weighted_f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="weighted"),
    "nll": lambda y, p: sk.log_loss(y, p, labels=range(p.shape[1])),
    "brier": brier,
    "ece": lambda y, p: quantile_calibration(p.argmax(1) == y, p.max(1)),
    "classwise_ece": classwise,
    "aurc": risk_coverage,
}


@pytest.fixture(params=NAMES)
def named(request) -> tuple[str, Metric]:
    return request.param, plugins.load("metric", request.param)


def test_a_metric_says_what_it_is(named):
    _, metric = named
    assert isinstance(metric, Metric)
    assert metric.title
    assert any(character.isdigit() for character in metric.source), "a source names its year"


@pytest.mark.parametrize("seed", range(3))
def test_a_metric_agrees_with_an_independent_implementation(named, seed):
    name, metric = named
    if name not in REFERENCES:
        pytest.skip(f"no reference is known for {name}; its own test must bring one")
    logits, labels = sample(seed)
    chances = softmax(logits.astype(np.float64), axis=1)
    assert metric.compute(logits, labels) == pytest.approx(REFERENCES[name](labels, chances), abs=1e-9)


def test_nothing_to_measure_is_an_error(named):
    _, metric = named
    with pytest.raises(ValueError, match="no clip"):
        metric.compute(np.zeros((0, 7), dtype=np.float32), np.zeros(0, dtype=np.int64))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_clips_does_not_matter(seed):
    generator = np.random.default_rng(seed)
    logits, labels = sample(seed, clips=40)
    logits = np.round(logits)
    order = generator.permutation(len(labels))
    for name in NAMES:
        compute = plugins.load("metric", name).compute
        assert compute(logits[order], labels[order]) == pytest.approx(compute(logits, labels), abs=1e-12), name


def test_better_logits_score_better(named):
    _, metric = named
    logits, labels = sample(1)
    certain = np.full_like(logits, -20)
    certain[np.arange(len(labels)), labels] = 20
    better, worse = metric.compute(certain, labels), metric.compute(logits, labels)
    assert better > worse if metric.higher_is_better else better < worse


def test_adding_a_number_to_all_logits_of_a_clip_changes_nothing(named):
    _, metric = named
    logits, labels = sample(2)
    moved = logits.astype(np.float64) + np.linspace(-3, 3, len(labels))[:, None]
    assert metric.compute(moved, labels) == pytest.approx(metric.compute(logits.astype(np.float64), labels), abs=1e-9)


def test_a_class_that_never_occurs_does_not_lower_the_uar():
    logits, labels = sample(3)
    present = labels != 2
    kept = plugins.load("metric", "uar").compute(logits[present], labels[present])
    recalls = sk.recall_score(
        labels[present], logits[present].argmax(1), labels=np.unique(labels[present]), average=None
    )
    assert kept == pytest.approx(recalls.mean())
