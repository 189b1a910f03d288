"""The answer to the study's question in words, saying only what the intervals support."""

from typing import Any

import pandas as pd

from harness.report.leaderboard import HEADLINE_METRIC, METRICS_SHOWN
from harness.stats.aggregate import CLEAN_SCOPE, ORDER_SCOPE, PERTURBED_SCOPE

UNCHANGED = 0.05
"""Points of change that round to nothing."""


def answer(frame: pd.DataFrame, chance: float | None = None) -> str:
    """One paragraph: who leads on clean clips, who cannot be told apart from it, and what perturbation costs.

    Args:
        frame: the leaderboard.
        chance: what guessing scores; the paragraph says so where no method is above it.
    """
    rows = frame.to_dict("records")
    return " ".join(part for part in (_clean(rows), _chance(rows, chance), _perturbed(rows), _order(rows)) if part)


def _clean(rows: list[dict[Any, Any]]) -> str:
    best, column = rows[0], f"{HEADLINE_METRIC}_{CLEAN_SCOPE}"
    text = f"On clean clips {best['method']} reaches a {METRICS_SHOWN[HEADLINE_METRIC]} of {_interval(best, column)}"
    rivals = [row["method"] for row in rows[1:] if set(row["tie"]) & set(best["tie"])]
    if len(rows) == 1:
        return f"{text}."
    if not rivals:
        return f"{text}, ahead of every other method by more than the data leave in doubt."
    others = "any other method" if len(rivals) == len(rows) - 1 > 1 else listed(rivals)
    return f"{text}, the highest, but these data cannot tell it apart from {others}."


def _chance(rows: list[dict[Any, Any]], chance: float | None) -> str:
    """A warning where every method's interval reaches down to chance."""
    if chance is None or any(row[f"{HEADLINE_METRIC}_{CLEAN_SCOPE}_low"] > chance for row in rows):
        return ""
    which = "It is" if len(rows) == 1 else "No method is"
    return f"{which} {'not ' if len(rows) == 1 else ''}shown to be better than chance ({100 * chance:.1f} %)."


def _perturbed(rows: list[dict[Any, Any]]) -> str:
    column = f"{HEADLINE_METRIC}_{PERTURBED_SCOPE}"
    if column not in rows[0]:
        return ""
    best = max(rows, key=lambda row: float(row[column]))
    loss = 100 * (best[f"{HEADLINE_METRIC}_{CLEAN_SCOPE}"] - best[column])
    name = "it" if best is rows[0] else best["method"]
    lead = f"Under label-preserving perturbations {name} holds the highest mean, {_interval(best, column)}"
    if abs(loss) < UNCHANGED:
        return f"{lead}, the same as its clean score."
    return f"{lead}, {abs(loss):.1f} points {'below' if loss > 0 else 'above'} its clean score."


def _order(rows: list[dict[Any, Any]]) -> str:
    column = f"{HEADLINE_METRIC}_{ORDER_SCOPE}"
    if column not in rows[0]:
        return ""
    losses = [(row["method"], 100 * (row[f"{HEADLINE_METRIC}_{CLEAN_SCOPE}"] - row[column])) for row in rows]
    most, least = max(losses, key=lambda one: one[1]), min(losses, key=lambda one: one[1])
    if max(abs(loss) for _, loss in losses) < UNCHANGED:
        return "Without the order of frames no score changes."
    if len(rows) == 1:
        return f"Without the order of frames it loses {most[1]:.1f} points."
    if most[1] < UNCHANGED:
        return f"Without the order of frames no method loses; {least[0]} gains most ({-least[1]:.1f} points)."
    gains = least[1] <= -UNCHANGED
    end = f"{least[0]} gains {-least[1]:.1f}" if gains else f"{least[0]} least ({max(least[1], 0.0):.1f})"
    return f"Without the order of frames {most[0]} loses most ({most[1]:.1f} points) and {end}."


def _interval(row: dict[Any, Any], column: str) -> str:
    low, high = (100 * row[f"{column}_{end}"] for end in ("low", "high"))
    return f"{100 * row[column]:.1f} % (95 % interval {low:.1f} to {high:.1f})"


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
