"""The leaderboard: one row a method, every number with its interval, ties said openly."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from harness.stats.aggregate import CLEAN_SCOPE, ORDER_SCOPE, PERTURBED_SCOPE, scopes
from harness.stats.bootstrap import Scores
from harness.stats.interval import share_band
from harness.stats.outcomes import Outcomes
from harness.stats.ranks import inseparable, rank_intervals, tie_letters
from harness.stats.suite import Suite
from harness.tables.schema import SCORES
from harness.tables.selections import RANKED

METRICS_SHOWN = {"uar": "UAR", "war": "WAR"}
SCOPES_SHOWN = {CLEAN_SCOPE: "clean", PERTURBED_SCOPE: "perturbed", ORDER_SCOPE: "order destroyed"}
TRAINED_ON = "Trained on"
"""Heads the column of tested perturbations that a method's training augmentation resembles."""

HEADLINE_METRIC = "uar"
"""Methods are ranked by UAR, on clean clips unless asked otherwise: with rare classes, WAR rewards ignoring them."""
RANKED_BY = {CLEAN_SCOPE: "UAR on clean clips", PERTURBED_SCOPE: "mean UAR under label-preserving perturbations"}
"""What a board may rank by, in words."""


DECIMALS = 12
"""Scores are compared to this many decimals: what differs by less differs by the rounding of sums alone."""


class Scoped(NamedTuple):
    """One metric in one scope: a value per method and its replicates."""

    values: Float[np.ndarray, " m"]
    replicates: Float[np.ndarray, "b m"]


def scoped_scores(scores: Scores, outcomes: Outcomes, suite: Suite) -> dict[tuple[str, str], Scoped]:
    """Every scope of every metric, keyed by scope and metric."""
    found: dict[tuple[str, str], Scoped] = {}
    for metric in METRICS_SHOWN:
        values = scopes(scores.values[metric], outcomes.conditions, suite)
        replicates = scopes(scores.replicates[metric], outcomes.conditions, suite)
        found |= {(scope, metric): Scoped(values[scope], replicates[scope]) for scope in values}
    return found


def scores_table(
    scoped: dict[tuple[str, str], Scoped], outcomes: Outcomes, covers: str, rule: str = RANKED
) -> pd.DataFrame:
    """The SCORES rows of one selection rule: every method, scope and metric with its 95 % and its rank interval."""
    rows: list[dict[str, Any]] = []
    for (scope, metric), (values, replicates) in scoped.items():
        band, ranks = share_band(values, replicates), rank_intervals(replicates)
        rows.extend(
            {
                "method": method,
                "selection": rule,
                "scope": scope,
                "metric": metric,
                "value": values[index],
                "low": band.low[index],
                "high": band.high[index],
                "covers": covers,
                "num_clips": outcomes.num_clips,
                "num_runs": outcomes.num_runs(method),
                "rank_low": ranks.low[index],
                "rank_high": ranks.high[index],
                "probability_first": ranks.probability_first[index],
            }
            for index, method in enumerate(outcomes.methods)
        )
    return pd.DataFrame(rows, columns=SCORES.schema.names)


def leaderboard(
    scoped: dict[tuple[str, str], Scoped], outcomes: Outcomes, table: pd.DataFrame, by: str = CLEAN_SCOPE
) -> pd.DataFrame:
    """One row per method, best UAR in the scope ``by`` first; fractions, with ``_low`` and ``_high`` beside each.

    ``rank`` is shared by equal values; ``rank_low`` and ``rank_high`` are its 95 % interval; methods that share a
    letter in ``tie`` cannot be told apart.
    """
    values, replicates = scoped[by, HEADLINE_METRIC]
    frame = pd.DataFrame({"method": list(outcomes.methods)})
    frame["rank"] = pd.Series(-values.round(DECIMALS)).rank(method="min").astype(int)
    frame["tie"] = tie_letters(values, inseparable(values, replicates))
    headline = _of(table, by, HEADLINE_METRIC, outcomes.methods)
    for column in ("rank_low", "rank_high", "probability_first"):
        frame[column] = headline[column].to_numpy()
    frame[["rank_low", "rank_high"]] = frame[["rank_low", "rank_high"]].astype(int)
    for scope in SCOPES_SHOWN:
        for metric in METRICS_SHOWN:
            if (scope, metric) in scoped:
                own = _of(table, scope, metric, outcomes.methods)
                name = f"{metric}_{scope}"
                frame[name], frame[f"{name}_low"], frame[f"{name}_high"] = (
                    own[column].to_numpy() for column in ("value", "low", "high")
                )
    frame["num_runs"], frame["num_clips"] = headline["num_runs"].to_numpy(), headline["num_clips"].to_numpy()
    return frame.sort_values(["rank", "method"], kind="stable").reset_index(drop=True)


def with_trained_on(frame: pd.DataFrame, perturbations: dict[str, str]) -> pd.DataFrame:
    """The board with the tested perturbations that each method's training clips went through, by method."""
    return frame.assign(trained_on=[perturbations[method] for method in frame["method"]])


def shows_trained_on(frame: pd.DataFrame) -> bool:
    """Whether a board for people needs the column: some method was trained on a perturbation that it is tested on."""
    return "trained_on" in frame and bool((frame["trained_on"] != "").any())


def _of(table: pd.DataFrame, scope: str, metric: str, methods: Sequence[str]) -> pd.DataFrame:
    """The rows of one scope and metric, one per method in the given order."""
    own = table[(table["scope"] == scope) & (table["metric"] == metric)]
    return own.set_index("method").loc[list(methods)]


def shown_columns(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """The score columns that a leaderboard holds, with their titles."""
    return [
        (f"{metric}_{scope}", f"{METRICS_SHOWN[metric]} {SCOPES_SHOWN[scope]}")
        for scope in SCOPES_SHOWN
        for metric in METRICS_SHOWN
        if f"{metric}_{scope}" in frame
    ]


def markdown(frame: pd.DataFrame, title: str, notes: Sequence[str]) -> str:
    """The leaderboard as a Markdown table in percent, with the notes that it needs to be read rightly."""
    columns = shown_columns(frame)
    trained_on = [TRAINED_ON] if shows_trained_on(frame) else []
    head = ["Rank", "Method", "Ties", *(name for _, name in columns), "Runs", *trained_on]
    rule = ["--:", ":--", ":--", *("--:" for _ in columns), "--:", *(":--" for _ in trained_on)]
    lines = [f"# {title}", "", md_row(head), md_row(rule)]
    for row in frame.to_dict("records"):
        scores = [percent_interval(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name, _ in columns]
        last = [str(row["num_runs"]), *(row["trained_on"] for _ in trained_on)]
        lines.append(md_row([rank_text(row), row["method"], row["tie"], *scores, *last]))
    return "\n".join([*lines, "", *(f"- {note}" for note in notes), ""])


def csv(frame: pd.DataFrame) -> str:
    """The leaderboard as comma-separated values: fractions with six decimals."""
    return frame.to_csv(index=False, float_format="%.6f", lineterminator="\n")


def rank_text(row: dict[Any, Any]) -> str:
    """A rank and its interval: ``1 (1-2)``; the rank alone where the interval is that rank."""
    low, high = row["rank_low"], row["rank_high"]
    return str(row["rank"]) if low == high == row["rank"] else f"{row['rank']} ({low}–{high})"  # noqa: RUF001


def percent_interval(value: float, low: float, high: float) -> str:
    """``61.7 [54.0, 69.4]`` for a fraction and its limits."""
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def points(fraction: float) -> str:
    """A signed difference in percentage points; what rounds to nothing has no sign."""
    text = f"{100 * fraction:+.1f}"
    return "0.0" if text in {"-0.0", "+0.0"} else text


def md_row(cells: Sequence[object]) -> str:
    """A row of a Markdown table; what a cell holds cannot end it, or the row, early."""
    return f"| {' | '.join(' '.join(str(cell).split()).replace('|', chr(92) + '|') for cell in cells)} |"
