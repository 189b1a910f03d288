"""Calibration of each method on clean test clips, as it is and after temperature scaling, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int
from scipy.special import log_softmax

from harness.metrics._probabilities import bin_members, probabilities
from harness.seeds import derive
from harness.stats.interval import CONFIDENCE, Interval
from harness.stats.products import product
from harness.stats.temperature import cooled

CALIBRATION_METRICS = ("ece", "classwise_ece", "nll", "brier")
"""What is measured before and after scaling; AURC, WAR and UAR are of the order of logits, which scaling keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTrial:
    """A trained network's clean test logits, with the temperature fitted on its validation clips.

    Attributes:
        method: whose network it is.
        fold: names the resampled clips, so that all networks of a fold are judged on the same ones.
        logits: one row per test clip, sorted by clip.
        labels: each clip's class.
        temperature: of this network.
    """

    method: str
    fold: int
    logits: Float[np.ndarray, "n k"]
    labels: Int[np.ndarray, " n"]
    temperature: float


class CalibrationRow(NamedTuple):
    """One metric of one method: mean over folds and seeds, as trained and after scaling by the mean temperature."""

    method: str
    metric: str
    trained: Interval
    scaled: Interval
    temperature: float


class _Parts(NamedTuple):
    """A metric as the mean over columns of abs(sum over clips) / clips; a plain mean has one column of losses."""

    columns: Float32[np.ndarray, "n c"]
    per: int

    def value(self, weights: Float32[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
        """The metric under each row of weights."""
        sums = np.abs(product(weights, self.columns)).sum(axis=1, dtype=np.float64)
        return np.asarray(sums / weights.sum(axis=1) / self.per)


def calibration(trials: Sequence[JudgedTrial], replicates: int, seed: int) -> list[CalibrationRow]:
    """Every calibration metric of every method, methods in the order of the trials.

    Clips are resampled within fold and class; bins and temperatures stay those of the observed clips. A calibration
    error is a sum of absolute values, which a resample enlarges about as much as the observed clips enlarged it; so
    its interval is the reflected one (basic bootstrap: Davison & Hinkley 1997, section 5.2), not below zero. Even so
    the error of a network that is calibrated to within a point is over-estimated.
    """
    rows: list[CalibrationRow] = []
    for method in dict.fromkeys(trial.method for trial in trials):
        own = [trial for trial in trials if trial.method == method]
        clips = sum({trial.fold: len(trial.labels) for trial in own}.values())
        temperature = float(np.mean([trial.temperature for trial in own]))
        drawn = [_weights(trial, replicates, seed) for trial in own]
        for metric in CALIBRATION_METRICS:
            trained, scaled = (
                _interval([_parts(metric, trial, heat) for trial, heat in zip(own, heats, strict=True)], drawn, clips)
                for heats in ([1.0] * len(own), [trial.temperature for trial in own])
            )
            rows.append(CalibrationRow(method, metric, trained, scaled, temperature))
    return rows


def _weights(trial: JudgedTrial, replicates: int, seed: int) -> Float32[np.ndarray, "b n"]:
    """How often each clip of a fold is drawn: multinomial within each class."""
    generator = np.random.default_rng(derive("calibration", seed, trial.fold))
    weights = np.zeros((replicates, len(trial.labels)), dtype=np.float32)
    for label in np.unique(trial.labels):
        own = np.flatnonzero(trial.labels == label)
        weights[:, own] = generator.multinomial(len(own), np.full(len(own), 1 / len(own)), size=replicates)
    return weights


def _interval(parts: list[_Parts], drawn: list[Float32[np.ndarray, "b n"]], clips: int) -> Interval:
    """Mean over trials with the reflected percentile interval."""
    once = [np.ones((1, weights.shape[1]), dtype=np.float32) for weights in drawn]
    value = float(np.mean([part.value(weights)[0] for part, weights in zip(parts, once, strict=True)]))
    resampled = np.mean([part.value(weights) for part, weights in zip(parts, drawn, strict=True)], axis=0)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, max(0.0, float(2 * value - high)), max(0.0, float(2 * value - low)), clips)


def _parts(metric: str, trial: JudgedTrial, temperature: float) -> _Parts:
    logits, labels = cooled(trial.logits, temperature), trial.labels
    rows = np.arange(len(labels))
    if metric == "nll":
        return _Parts(-log_softmax(logits, axis=1)[rows, labels].astype(np.float32)[:, None], 1)
    chances = probabilities(logits)
    right = np.eye(chances.shape[1])[labels]
    if metric == "brier":
        return _Parts(((chances - right) ** 2).sum(axis=1).astype(np.float32)[:, None], 1)
    if metric == "ece":
        named = chances.argmax(axis=1)
        return _Parts(_gaps(chances.max(axis=1), (named == labels).astype(np.float64)), 1)
    classes = chances.shape[1]
    return _Parts(np.hstack([_gaps(chances[:, k], right[:, k]) for k in range(classes)]), classes)


def _gaps(confidence: Float[np.ndarray, " n"], hit: Float[np.ndarray, " n"]) -> Float32[np.ndarray, "n c"]:
    """Outcome minus confidence of each clip, in the column of its bin."""
    member = bin_members(confidence)
    columns = np.zeros((len(hit), int(member.max()) + 1), dtype=np.float32)
    columns[np.arange(len(hit)), member] = hit - confidence
    return columns
