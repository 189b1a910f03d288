"""The same trainings judged under three rules of which epoch to keep, side by side."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.report.audited import audited
from harness.report.leaderboard import (
    METRICS_SHOWN,
    SCOPES_SHOWN,
    Scoped,
    md_row,
    percent_interval,
    points,
    scoped_scores,
    scores_table,
)
from harness.report.notes import plural
from harness.report.study_results import StudyResults
from harness.stats.bootstrap import Resampling, Scores, bootstrap
from harness.stats.interval import percentile_band, share_band
from harness.stats.outcomes import Outcomes
from harness.tables.schema import SCORES
from harness.tables.selections import AUDITED, BEST_ON_TEST, RANKED, RULES

OPTIMISTIC = "chosen on the clips that it is scored on, hence optimistic; comparable with much of the literature"

Triple = tuple[float, float, float]
"""A number with the limits of its 95 % interval, as fractions."""


class Judged(NamedTuple):
    """A study under one rule: what its networks named, and the scores of that."""

    outcomes: Outcomes
    scores: Scores


class SelectionRow(NamedTuple):
    """One method, scope and metric: its score under each of ``RULES``, and what best on test gains over the first."""

    method: str
    scope: str
    metric: str
    scores: list[Triple]
    gap: Triple


class Selection(NamedTuple):
    """The audit of a study.

    Attributes:
        rows: one per scope, metric and method.
        table: SCORES rows of the rules that are not ranked.
        judged: the study under each rule that is not ranked.
        covers: what intervals cover.
        notes: what is not measured and why, one sentence each.
    """

    rows: list[SelectionRow]
    table: pd.DataFrame
    judged: dict[str, Judged]
    covers: str
    notes: list[str]


def selection_audit(results: StudyResults, ranked: Scores, resampling: Resampling) -> Selection:
    """Every audited method under every rule, on the draws of clips (and seeds) that the leaderboard rests on.

    Equal draws pair the rules: the gap's interval is that of a difference on the same resampled clips.

    Args:
        results: the study.
        ranked: the scores of its outcomes under ``resampling``.
        resampling: how replicates are drawn.
    """
    found = audited(results)
    notes = [
        f"{method}: last epoch and best on test are not measured; {reason}."
        for method, reason in found.unmeasured.items()
    ]
    if found.lacking:
        left_out = plural(found.lacking, "perturbed condition")
        notes.append(f"{left_out} left out: other epochs were not tested under all conditions.")
    if not found.outcomes:
        return Selection([], pd.DataFrame(columns=SCORES.schema.names), {}, "", notes)
    scores = {rule: bootstrap(found.outcomes[rule], resampling) for rule in AUDITED}
    whole = found.outcomes[RANKED].has_all_of(results.outcomes)
    scores[RANKED] = ranked if whole else bootstrap(found.outcomes[RANKED], resampling)
    judged = {rule: Judged(found.outcomes[rule], one) for rule, one in scores.items()}
    scoped = {rule: scoped_scores(one.scores, one.outcomes, results.suite) for rule, one in judged.items()}
    tables = [scores_table(scoped[rule], judged[rule].outcomes, judged[rule].scores.covers, rule) for rule in AUDITED]
    methods = found.outcomes[RANKED].methods
    rows = [
        row
        for scope in SCOPES_SHOWN
        for metric in METRICS_SHOWN
        if (scope, metric) in scoped[RANKED]
        for row in _rows({rule: own[scope, metric] for rule, own in scoped.items()}, (scope, metric), methods)
    ]
    table = pd.concat(tables, ignore_index=True)
    return Selection(rows, table, {rule: judged[rule] for rule in AUDITED}, scores[RANKED].covers, notes)


def _rows(by_rule: dict[str, Scoped], what: tuple[str, str], methods: tuple[str, ...]) -> list[SelectionRow]:
    scope, metric = what
    bands = [share_band(by_rule[rule].values, by_rule[rule].replicates) for rule in RULES]
    best, ranked = by_rule[BEST_ON_TEST], by_rule[RANKED]
    gaps = percentile_band(best.values - ranked.values, best.replicates - ranked.replicates)
    return [
        SelectionRow(method, scope, metric, [triple(band, index) for band in bands], triple(gaps, index))
        for index, method in enumerate(methods)
    ]


def triple(band: tuple[np.ndarray, np.ndarray, np.ndarray], index: int) -> Triple:
    """One method's point and limits."""
    point, low, high = (float(values[index]) for values in band)
    return point, low, high


def selection_markdown(selection: Selection) -> str:
    """The audit as a Markdown table in percent; empty where nothing was audited."""
    if not selection.rows:
        return ""
    head = ["Method", "Clips", "Metric", *RULES.values(), "Gain of best on test (points)"]
    lines = ["", "## Which epoch is kept", "", f"| {' | '.join(head)} |", "| :-- | :-- | :-- | --: | --: | --: | --: |"]
    for row in selection.rows:
        value, low, high = map(points, row.gap)
        gap = f"{value} [{low}, {high}]"
        cells = [row.method, SCOPES_SHOWN[row.scope], METRICS_SHOWN[row.metric]]
        cells += [*(percent_interval(*one) for one in row.scores), gap]
        lines.append(md_row(cells))
    notes = [
        f"- Ranked by the first rule alone; best on test is {OPTIMISTIC}.",
        "- The tables `scores`, `robustness`, `calibration` and `metrics` hold every number under each rule.",
    ]
    return "\n".join([*lines, "", *notes, ""])
