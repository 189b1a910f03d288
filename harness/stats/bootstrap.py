"""The paired, stratified bootstrap of stored predictions: one draw of clips judges all methods and conditions.

Resampling clips within a fold and class leaves the number of clips of every class as it is, so WAR and UAR depend on a
resample only through the weighted count of rightly named clips. One matrix product of weights (replicates by clips)
with correctness (clips by methods and conditions) therefore gives every replicate exactly, without a resampled row.
Small strata are corrected for: see ``Stratum.stretch``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from harness.stats.count_tables import FoldTable, Weights, draw_weights, fold_table, no_resampling, weighted_counts
from harness.stats.interval import Band, share_band
from harness.stats.outcomes import FoldOutcomes, Outcomes

BLOCK = 1000
"""Replicates made together: enough for fast matrix products, few enough for memory.

A constant, because the draws of a block come from a generator named by its number.
"""

MIN_SEEDS = 3
"""Seeds per method and fold from which the variation between trainings can be resampled at all."""

Measure = Callable[[FoldOutcomes], Bool[np.ndarray, "r c q n"]]
"""A yes or no for every run, condition, repeat and clip, which is averaged over clips (WAR) and classes (UAR)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How replicates are drawn.

    Attributes:
        replicates: how many.
        seed: names every draw.
        by_group: resample groups (identities, films) of a fold instead of clips of a fold and class.
        paired_seeds: give all methods the same resampled seeds, right only where equal seeds share data order.
    """

    replicates: int = 2000
    seed: int = 0
    by_group: bool = False
    paired_seeds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """WAR and UAR by method and condition, with their replicates over the same resampled clips.

    Attributes:
        values: observed ``war`` and ``uar``: methods as rows, conditions as columns.
        replicates: resampled ``war`` and ``uar``; the replicate leads.
        covers: the sources of variation that the replicates hold.
    """

    values: dict[str, Float[np.ndarray, "m c"]]
    replicates: dict[str, Float[np.ndarray, "b m c"]]
    covers: str

    def band(self, metric: str) -> Band:
        """Percentile intervals of ``war`` or ``uar``."""
        return share_band(self.values[metric], self.replicates[metric])


class Means(NamedTuple):
    """A measure averaged over clips (``war``) and over the classes that occur (``uar``)."""

    war: Float[np.ndarray, "b m c"]
    uar: Float[np.ndarray, "b m c"]


def correctness(fold: FoldOutcomes) -> Bool[np.ndarray, "r c q n"]:
    """Whether the named class is the label: the measure whose means are WAR and UAR."""
    return fold.correct


def bootstrap(outcomes: Outcomes, resampling: Resampling, measure: Measure = correctness) -> Scores:
    """WAR and UAR of every method and condition, with replicates.

    Clips of all folds are pooled: WAR is the share of all clips, a class's recall is over all clips of the class, and
    several seeds and repeats of a clip count as their mean. Where every method has three or more seeds in every fold,
    seeds are resampled within folds too, so that intervals cover another training as well as other clips.
    """
    two_level = outcomes.num_seeds >= MIN_SEEDS
    tables = [
        fold_table(fold, outcomes.methods, measure(fold), by_seed=two_level, by_group=resampling.by_group)
        for fold in outcomes.folds
    ]
    observed = _means(tables, [no_resampling(table) for table in tables], len(outcomes.classes))
    blocks = [
        _means(tables, _block_weights(outcomes, tables, resampling, start), len(outcomes.classes))
        for start in range(0, resampling.replicates, BLOCK)
    ]
    return Scores(
        values={"war": observed.war[0], "uar": observed.uar[0]},
        replicates={
            "war": np.concatenate([block.war for block in blocks]),
            "uar": np.concatenate([block.uar for block in blocks]),
        },
        covers=("groups of clips" if resampling.by_group else "clips") + (" and seeds" if two_level else ""),
    )


def _block_weights(outcomes: Outcomes, tables: list[FoldTable], resampling: Resampling, start: int) -> list[Weights]:
    rows = min(BLOCK, resampling.replicates - start)
    return [
        draw_weights(table, rows, (resampling.seed, fold.fold, start // BLOCK), paired_seeds=resampling.paired_seeds)
        for fold, table in zip(outcomes.folds, tables, strict=True)
    ]


def _means(tables: list[FoldTable], weights: list[Weights], num_classes: int) -> Means:
    hits, clips = weighted_counts(tables[0], weights[0], num_classes)
    for table, drawn in zip(tables[1:], weights[1:], strict=True):
        more = weighted_counts(table, drawn, num_classes)
        hits += more.hits
        clips += more.clips
    clips = clips[:, :, None, None]
    occurs = clips > 0
    recall = np.divide(hits, clips, out=np.zeros_like(hits), where=np.broadcast_to(occurs, hits.shape))
    war, uar = hits.sum(axis=0) / clips.sum(axis=0), recall.sum(axis=0) / occurs.sum(axis=0)
    return Means(war=war, uar=uar)
