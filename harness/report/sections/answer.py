"""The answer to the study's question in words, saying only what the intervals support."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from harness.report.latex import bold_methods
from harness.report.leaderboard import HEADLINE_METRIC, METRICS_SHOWN, Scoped, points
from harness.report.selection import triple
from harness.stats.aggregate import CLEAN_SCOPE, ORDER_SCOPE, PERTURBED_SCOPE
from harness.stats.interval import percentile_band
from harness.stats.multiplicity import ROUNDING

LISTED = 3
"""Methods that change without the order of frames, beyond which they are counted and not listed."""

Triple = tuple[float, float, float]
"""Points with the limits of their 95 % interval, as fractions."""


class Changes(NamedTuple):
    """What the answer may claim of differences.

    ``losses`` are clean UAR less that of a scope, by scope and method, from paired replicates; ``tied`` are the methods
    that cannot be told apart from the highest under perturbation, itself among them.
    """

    losses: dict[str, dict[str, Triple]]
    tied: frozenset[str]


def changes(scoped: dict[tuple[str, str], Scoped], methods: Sequence[str]) -> Changes:
    """The differences between clean and other clips, on the same resampled clips."""
    clean, losses = scoped[CLEAN_SCOPE, HEADLINE_METRIC], {}
    for scope in (PERTURBED_SCOPE, ORDER_SCOPE):
        if own := scoped.get((scope, HEADLINE_METRIC)):
            band = percentile_band(clean.values - own.values, clean.replicates - own.replicates)
            losses[scope] = {name: triple(band, index) for index, name in enumerate(methods)}
    perturbed = scoped.get((PERTURBED_SCOPE, HEADLINE_METRIC))
    return Changes(losses, frozenset(bold_methods(perturbed, tuple(methods)) if perturbed else ()))


def answer(frame: pd.DataFrame, found: Changes, chance: float | None = None) -> str:
    """One paragraph: who leads on clean clips, who cannot be told apart from it, and what perturbation costs.

    Args:
        frame: the leaderboard.
        found: the differences that it may speak of.
        chance: what guessing scores; the paragraph says so where no method is above it.
    """
    rows = frame.to_dict("records")
    order = _order(found.losses.get(ORDER_SCOPE, {}))
    return " ".join(part for part in (_clean(rows), _chance(rows, chance), _perturbed(rows, found), order) if part)


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


def _perturbed(rows: list[dict[Any, Any]], found: Changes) -> str:
    column = f"{HEADLINE_METRIC}_{PERTURBED_SCOPE}"
    if column not in rows[0]:
        return ""
    best = max(rows, key=lambda row: float(row[column]))
    name = "it" if best is rows[0] else best["method"]
    rivals = [row["method"] for row in rows if row["method"] in found.tied - {best["method"]}]
    others = "any other method" if len(rivals) == len(rows) - 1 > 1 else listed(rivals) if rivals else ""
    doubt = f" It cannot be told apart from {others} there." if rivals else ""
    lead = f"Under label-preserving perturbations {name} holds the highest mean, {_interval(best, column)}"
    return f"{lead}, {_beside(found.losses[PERTURBED_SCOPE][best['method']])}.{doubt}"


def _beside(loss: Triple) -> str:
    """A perturbed score beside the clean one."""
    if not _known(loss):
        return f"not told apart from its clean score ({_change(loss)})"
    return f"{abs(100 * loss[0]):.1f} points {'below' if loss[0] > 0 else 'above'} its clean score ({_limits(loss)})"


def _order(losses: dict[str, Triple]) -> str:
    """Who is known to lose or gain without the order of frames; who does so most is not claimed."""
    if not losses:
        return ""
    sure = {name: loss for name, loss in losses.items() if _known(loss)}
    lead = "Without the order of frames"
    if not sure:
        if len(losses) == 1:
            return f"{lead} its score is not known to change ({_change(next(iter(losses.values())))})."
        widest = max(losses.values(), key=lambda loss: loss[2] - loss[1])
        return f"{lead} no method's score is known to change (at its least certain: {_change(widest)})."
    parts = [_moved(sure, "loses", "lose", 1), _moved(sure, "gains", "gain", -1)]
    said = " and ".join(part for part in parts if part)
    rest = len(losses) - len(sure)
    return f"{lead} {said}{'; no other score is known to change' if rest else ''}."


def _known(loss: Triple) -> bool:
    """Whether the interval of a change leaves zero out, by more than the rounding of sums."""
    return loss[1] > ROUNDING or loss[2] < -ROUNDING


def _moved(sure: dict[str, Triple], one: str, many: str, sign: int) -> str:
    """The methods whose change has a sign, each with its points; beyond a few only their number and the extremes."""
    own = [(name, loss) for name, loss in sure.items() if sign * loss[0] > 0]
    own.sort(key=lambda item: -abs(item[1][0]))
    if not own:
        return ""
    shown = [f"{name} {one} {_amount(loss)}" for name, loss in own]
    if len(own) <= LISTED:
        return listed(shown)
    return f"{len(own)} of the methods {many}, from {_amount(own[-1][1])} to {_amount(own[0][1])}"


def _amount(loss: Triple) -> str:
    return f"{abs(100 * loss[0]):.1f} points ({_limits(loss)})"


def _change(loss: Triple) -> str:
    """The change as a signed number: a loss is below zero."""
    value, low, high = (points(number) for number in (-loss[0], -loss[2], -loss[1]))
    return f"{value} points, 95 % interval {low} to {high}"


def _limits(loss: Triple) -> str:
    """The interval of a change whose direction is known."""
    low, high = sorted(abs(100 * limit) for limit in loss[1:])
    return f"95 % interval {low:.1f} to {high:.1f}"


def _interval(row: dict[Any, Any], column: str) -> str:
    low, high = (100 * row[f"{column}_{end}"] for end in ("low", "high"))
    return f"{100 * row[column]:.1f} % (95 % interval {low:.1f} to {high:.1f})"


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
