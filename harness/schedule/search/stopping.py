"""Which epochs trainings halt at, and which of them go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from harness.spec.search import StoppingSpec


class Stage(NamedTuple):
    """One step of a configuration: train the first ``folds`` folds up to ``epochs`` (``None`` for all of them)."""

    epochs: int | None
    folds: int


def stages(stopping: StoppingSpec, epochs: int, folds: int, folds_per_stage: int) -> list[Stage]:
    """The steps of a configuration: first the epochs of the first folds, then the folds.

    Args:
        stopping: first halt and factor.
        epochs: of a whole training.
        folds: of the search.
        folds_per_stage: ``folds`` where there is no racing.
    """
    first = min(folds_per_stage, folds)
    halts = [Stage(epoch, first) for epoch in rungs(stopping, epochs)]
    return [*halts, *(Stage(None, count) for count in range(first, folds, folds_per_stage)), Stage(None, folds)]


def rungs(stopping: StoppingSpec, epochs: int) -> list[int]:
    """The epochs at which trainings halt, below ``epochs``."""
    found, epoch = [], stopping.first_epoch
    while stopping.rule != "none" and epoch < epochs:
        found.append(epoch)
        epoch *= stopping.factor
    return found


def stops(score: float, seen: Sequence[float], stopping: StoppingSpec) -> str:
    """Why a configuration is stopped at a halt; empty if it goes on.

    Args:
        score: its best validation score up to this epoch.
        seen: the scores of all configurations that have been at this epoch so far, its own included.
        stopping: the rule.
    """
    if stopping.rule == "median":
        middle = median(seen)
        return f"{score:.4f} is below the median {middle:.4f} of {len(seen)}" if score < middle else ""
    better = sum(other > score for other in seen)
    kept = -(-len(seen) // stopping.factor)
    return f"rank {better + 1} of {len(seen)}, the first {kept} go on" if better >= kept else ""
