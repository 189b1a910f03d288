"""The same trainings judged at another epoch: on the same folds, clips and random draws, so that epochs are paired."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int8

from harness.spec.trial import Condition
from harness.stats.gather import Named, RunOutcomes, among
from harness.stats.outcomes import FoldOutcomes, Outcomes


def measured_conditions(outcomes: Outcomes, runs: Mapping[str, RunOutcomes]) -> tuple[Condition, ...]:
    """The conditions of ``outcomes`` under which every run holds all draws of all clips."""
    return tuple(
        condition
        for condition, draws in zip(outcomes.conditions, outcomes.draws, strict=True)
        if all(_holds(runs[run.trial_id], condition, draws, fold) for fold in outcomes.folds for run in fold.runs)
    )


def at_other_epochs(outcomes: Outcomes, runs: Mapping[str, RunOutcomes]) -> Outcomes:
    """``outcomes`` with what other networks of its trainings named in the place of what its own did.

    Args:
        outcomes: with conditions that all of ``runs`` hold (``measured_conditions``).
        runs: the other networks, by trial id.
    """
    return replace(
        outcomes,
        folds=tuple(
            replace(fold, predicted=np.stack([_named(outcomes, fold, runs[run.trial_id]) for run in fold.runs]))
            for fold in outcomes.folds
        ),
    )


def _holds(run: RunOutcomes, condition: Condition, draws: tuple[int, ...], fold: FoldOutcomes) -> bool:
    cells = [run.cells.get((condition, draw)) for draw in draws]
    return all(cell is not None and _has(cell, fold.clip_ids) for cell in cells)


def _has(cell: Named, clip_ids: np.ndarray) -> bool:
    return np.array_equal(cell.clip_ids, clip_ids) or set(clip_ids) <= set(cell.clip_ids)


def _named(outcomes: Outcomes, fold: FoldOutcomes, run: RunOutcomes) -> Int8[np.ndarray, "c q n"]:
    """The class that a network named for each of a fold's clips, by condition and draw."""
    named = []
    for condition, draws in zip(outcomes.conditions, outcomes.draws, strict=True):
        cells = [run.cells[condition, draw] for draw in draws]
        named.append([cell.predicted[among(cell, fold.clip_ids)] for cell in cells])
    return np.array(named, dtype=np.int8)
