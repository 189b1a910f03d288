"""Which perturbation costs which method how much."""

from typing import NamedTuple

import numpy as np

from harness.stats.bootstrap import Scores
from harness.stats.outcomes import Outcomes
from harness.stats.suite import Suite


class PerturbationRow(NamedTuple):
    """One perturbation: mean score over its severities per method, and the loss against clean clips; fractions."""

    title: str
    family: str
    order_destroying: bool
    scores: list[float]
    losses: list[float]


def perturbation_rows(outcomes: Outcomes, scores: Scores, suite: Suite, metric: str) -> list[PerturbationRow]:
    """Every perturbation by family, order-destroying ones last."""
    values = scores.values[metric]
    rows = []
    for entries in suite.restricted_to(outcomes.conditions).perturbations().values():
        columns = [outcomes.conditions.index(entry.condition) for entry in entries]
        mean = values[:, columns].mean(axis=1)
        losses = values[:, outcomes.clean] - mean
        first = entries[0]
        rows.append(
            PerturbationRow(
                first.title, first.family, first.label_preserving == "order", mean.tolist(), losses.tolist()
            )
        )
    return sorted(rows, key=lambda row: (row.order_destroying, row.family, row.title))


def largest_loss(rows: list[PerturbationRow]) -> float:
    """The scale of the heat map: the largest loss, at least one point."""
    return float(np.max([0.01, *(loss for row in rows for loss in row.losses)]))
