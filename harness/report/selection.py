"""The same trainings judged under three rules of which epoch to keep, side by side."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.report.audited import BEST_ON_TEST, LAST, RANKED, RULES, audited
from harness.report.leaderboard import METRICS_SHOWN, Scoped, percent_interval, scores_table
from harness.report.study_results import StudyResults
from harness.stats.aggregate import CLEAN_SCOPE
from harness.stats.bootstrap import Resampling, Scores, bootstrap
from harness.stats.interval import Band, percentile_band
from harness.stats.outcomes import Outcomes
from harness.tables.schema import SCORES

OPTIMISTIC = "chosen on the clips that it is scored on, hence optimistic; comparable with much of the literature"

Triple = tuple[float, float, float]
"""A number with the limits of its 95 % interval, as fractions."""


class SelectionRow(NamedTuple):
    """One method and metric: its score under each of ``RULES``, and what best on test gains over the first."""

    method: str
    metric: str
    scores: list[Triple]
    gap: Triple


class Selection(NamedTuple):
    """The audit of a study: rows, the same as SCORES rows, what intervals cover, and why a method has none."""

    rows: list[SelectionRow]
    table: pd.DataFrame
    covers: str
    unmeasured: dict[str, str]


def selection_audit(results: StudyResults, resampling: Resampling) -> Selection:
    """Every audited method under every rule, on the draws of clips (and seeds) that the leaderboard rests on.

    Equal draws pair the rules: the gap's interval is that of a difference on the same resampled clips.
    """
    found = audited(results)
    if not found.outcomes:
        return Selection([], pd.DataFrame(columns=SCORES.schema.names), "", found.unmeasured)
    scores = {rule: bootstrap(outcomes, resampling) for rule, outcomes in found.outcomes.items()}
    methods = found.outcomes[RANKED].methods
    rows = [row for metric in METRICS_SHOWN for row in _rows(scores, metric, methods)]
    tables = [_table(scores[rule], rule, found.outcomes[rule]) for rule in (LAST, BEST_ON_TEST)]
    return Selection(rows, pd.concat(tables, ignore_index=True), scores[RANKED].covers, found.unmeasured)


def _rows(scores: dict[str, Scores], metric: str, methods: tuple[str, ...]) -> list[SelectionRow]:
    bands = [scores[rule].band(metric) for rule in RULES]
    best, ranked = scores[BEST_ON_TEST], scores[RANKED]
    gaps = percentile_band(
        best.values[metric] - ranked.values[metric], best.replicates[metric] - ranked.replicates[metric]
    )
    return [
        SelectionRow(method, metric, [_triple(band, index) for band in bands], _triple(gaps, index))
        for index, method in enumerate(methods)
    ]


def _triple(band: Band, index: int) -> Triple:
    """A method's point and limits on clean clips, the only condition here."""
    point, low, high = (float(np.asarray(values)[index, 0]) for values in band)
    return point, low, high


def _table(scores: Scores, rule: str, outcomes: Outcomes) -> pd.DataFrame:
    """One rule as SCORES rows, whose scope is ``clean:`` and the rule."""
    scoped = {
        (f"{CLEAN_SCOPE}:{rule}", metric): Scoped(scores.values[metric][:, 0], scores.replicates[metric][:, :, 0])
        for metric in METRICS_SHOWN
    }
    return scores_table(scoped, outcomes, scores.covers)


def selection_markdown(selection: Selection) -> str:
    """The audit as a Markdown table in percent; empty where nothing was audited."""
    if not selection.rows:
        return ""
    head = ["Method", "Metric", *RULES.values(), "Gain of best on test (points)"]
    lines = ["", "## Which epoch is kept", "", f"| {' | '.join(head)} |", "| :-- | :-- | --: | --: | --: | --: |"]
    for row in selection.rows:
        gap = " ".join((f"{100 * row.gap[0]:+.1f}", f"[{100 * row.gap[1]:+.1f}, {100 * row.gap[2]:+.1f}]"))
        cells = [row.method, METRICS_SHOWN[row.metric], *(percent_interval(*one) for one in row.scores), gap]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "", f"- Clean test clips. Ranked by the first rule alone; best on test is {OPTIMISTIC}.", ""]
    )
