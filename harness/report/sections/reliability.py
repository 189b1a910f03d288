"""How often the class that is named with a confidence is right, before and after one temperature is fitted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.metrics._probabilities import BINS, bin_members, probabilities
from harness.stats.calibration import JudgedTrial
from harness.stats.temperature import BOUNDS, cooled

CLIPS_PER_BIN = 25
"""Fewer clips than this in a bin make an accuracy that moves by more than ten points with luck."""

FEWEST_BINS = 4


class Bins(NamedTuple):
    """Mean confidence and accuracy of each bin, lowest confidence first, as fractions, and the clips in it."""

    confidence: Float[np.ndarray, " bins"]
    accuracy: Float[np.ndarray, " bins"]
    clips: Float[np.ndarray, " bins"]


class Reliability(NamedTuple):
    """One method on clean test clips: its bins as trained, and with each network's own temperature."""

    method: str
    trained: Bins
    scaled: Bins


def reliability(trials: Sequence[JudgedTrial]) -> list[Reliability]:
    """Every method's diagram, clips of all its networks pooled into bins of equal numbers of clips."""
    found = []
    for method in dict.fromkeys(trial.method for trial in trials):
        own = [trial for trial in trials if trial.method == method]
        trained, scaled = _bins(own, [1.0] * len(own)), _bins(own, [trial.temperature for trial in own])
        found.append(Reliability(method, trained, scaled))
    return found


def bound_notes(trials: Sequence[JudgedTrial]) -> dict[str, str]:
    """For each method with a network whose temperature is a bound of the fit: how many, and at which bound."""
    notes = {}
    for method in dict.fromkeys(trial.method for trial in trials):
        heats = [trial.temperature for trial in trials if trial.method == method]
        found = [f"{heats.count(bound)} of {len(heats)} at the fit's bound of {bound:g}" for bound in BOUNDS]
        notes[method] = "; ".join(text for text, bound in zip(found, BOUNDS, strict=True) if bound in heats)
    return {method: text for method, text in notes.items() if text}


def _bins(trials: Sequence[JudgedTrial], temperatures: Sequence[float]) -> Bins:
    chances = [probabilities(cooled(one.logits, heat)) for one, heat in zip(trials, temperatures, strict=True)]
    confidence = np.concatenate([rows.max(axis=1) for rows in chances])
    right = np.concatenate(
        [rows.argmax(axis=1) == one.labels for rows, one in zip(chances, trials, strict=True)]
    ).astype(np.float64)
    member = bin_members(confidence, min(BINS, max(FEWEST_BINS, len(confidence) // CLIPS_PER_BIN)))
    clips = np.bincount(member).astype(np.float64)
    held = clips > 0
    sums = [np.bincount(member, weights=values)[held] / clips[held] for values in (confidence, right)]
    return Bins(sums[0], sums[1], clips[held])
