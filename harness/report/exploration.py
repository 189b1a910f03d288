"""Where a difference lies: by class and by condition, exploratory, at a controlled rate of false discoveries."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from harness.report.comparison_question import Question
from harness.report.leaderboard import METRICS_SHOWN, md_row, points
from harness.spec.trial import CLEAN_CONDITION
from harness.stats.bootstrap import Resampling, Scores
from harness.stats.class_recall import class_recalls
from harness.stats.interval import percentile_band
from harness.stats.multiplicity import bootstrap_p, false_discovery
from harness.stats.outcomes import Outcomes

RATE = 0.05
"""The expected share of false ones among what is shown (Benjamini & Hochberg, JRSS B 1995)."""

SHOWN = 30
"""Discoveries that are listed; the others are counted."""


class Cells(NamedTuple):
    """One number per method and cell, with replicates; a cell is a class or a condition."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "m c"]
    replicates: Float[np.ndarray, "b m c"]


def explore(
    outcomes: Outcomes, scores: Scores, question: Question, pairs: list[tuple[int, int]], resampling: Resampling
) -> pd.DataFrame:
    """Every pair's difference in every class recall and under every condition, with p-values adjusted per kind.

    Columns: ``kind`` (class or condition), ``cell``, ``method``, ``against``, ``difference``, ``low``, ``high``,
    ``p_fdr``.
    """
    recalls = class_recalls(outcomes, resampling)
    found = [_table("class", Cells(*recalls), outcomes.methods, pairs)]
    perturbed = [index for index, one in enumerate(outcomes.conditions) if one != CLEAN_CONDITION]
    if perturbed:
        names = tuple(outcomes.conditions[index].label for index in perturbed)
        values, replicates = scores.values[question.metric], scores.replicates[question.metric]
        cells = Cells(names, values[:, perturbed], replicates[:, :, perturbed])
        found.append(_table("condition", cells, outcomes.methods, pairs))
    return pd.concat(found, ignore_index=True)


def _table(kind: str, cells: Cells, methods: tuple[str, ...], pairs: list[tuple[int, int]]) -> pd.DataFrame:
    frames = []
    for one, other in pairs:
        observed = cells.values[one] - cells.values[other]
        replicates = cells.replicates[:, one] - cells.replicates[:, other]
        band = percentile_band(observed, replicates)
        columns = {"kind": kind, "cell": cells.names, "method": methods[one], "against": methods[other]}
        numbers = {"difference": observed, "low": band.low, "high": band.high, "p": bootstrap_p(observed, replicates)}
        frames.append(pd.DataFrame(columns | numbers))
    table = pd.concat(frames, ignore_index=True)
    return table.assign(p_fdr=false_discovery(table["p"].to_numpy())).drop(columns="p")


def exploration_text(table: pd.DataFrame, question: Question) -> list[str]:
    """The discoveries as Markdown, largest differences first, and how many cells were looked at."""
    hits = table[table["p_fdr"] < RATE]
    hits = hits.reindex(hits["difference"].abs().sort_values(ascending=False, kind="stable").index)
    counts = "; ".join(f"{(hits['kind'] == kind).sum()} of {len(own)} by {kind}" for kind, own in table.groupby("kind"))
    looked_at = f"by class (recall on clean clips) and by condition ({METRICS_SHOWN[question.metric]})"
    rate = f"at a false discovery rate of {100 * RATE:g} %"
    lines = [f"Exploratory, not a test of the question: differences {looked_at} {rate}: {counts}."]
    if hits.empty:
        return lines
    lines += ["", "| Where | Method | Against | Difference | 95 % interval | FDR p |"]
    lines.append("| :-- | :-- | :-- | --: | --: | --: |")
    for row in hits.head(SHOWN).to_dict("records"):
        interval = f"{points(row['low'])} to {points(row['high'])}"
        cells = [f"{row['kind']} {row['cell']}", row["method"], row["against"], points(row["difference"])]
        adjusted = f"{row['p_fdr']:.4f}".replace("0.", ".", 1)
        lines.append(md_row([*cells, interval, adjusted]))
    if len(hits) > SHOWN:
        lines.append(f"\nand {len(hits) - SHOWN} more.")
    return lines
