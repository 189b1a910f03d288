"""Which perturbation costs which method how much."""

from typing import NamedTuple

import numpy as np

from harness.stats.bootstrap import Scores
from harness.stats.interval import percentile_band
from harness.stats.outcomes import Outcomes
from harness.stats.suite import Suite


class PerturbationRow(NamedTuple):
    """One perturbation: mean score over its severities per method, and the loss against clean clips; fractions.

    ``lows`` and ``highs`` limit the 95 % intervals of the losses.
    """

    title: str
    family: str
    order_destroying: bool
    scores: list[float]
    losses: list[float]
    lows: list[float]
    highs: list[float]


def perturbation_rows(outcomes: Outcomes, scores: Scores, suite: Suite, metric: str) -> list[PerturbationRow]:
    """Every perturbation by family, order-destroying ones last."""
    values, replicates = scores.values[metric], scores.replicates[metric]
    rows = []
    for entries in suite.restricted_to(outcomes.conditions).perturbations().values():
        columns = [outcomes.conditions.index(entry.condition) for entry in entries]
        mean = values[:, columns].mean(axis=1)
        losses = values[:, outcomes.clean] - mean
        band = percentile_band(losses, replicates[..., outcomes.clean] - replicates[..., columns].mean(axis=-1))
        rows.append(
            PerturbationRow(
                title=entries[0].title,
                family=entries[0].family,
                order_destroying=entries[0].label_preserving == "order",
                scores=mean.tolist(),
                losses=losses.tolist(),
                lows=band.low.tolist(),
                highs=band.high.tolist(),
            )
        )
    return sorted(rows, key=lambda row: (row.order_destroying, row.family, row.title))


def largest_loss(rows: list[PerturbationRow]) -> float:
    """The scale of the heat map: the largest loss, at least one point."""
    return float(np.max([0.01, *(loss for row in rows for loss in row.losses)]))
