"""The best validation score found so far, against what the search had spent."""

from itertools import accumulate
from typing import NamedTuple

from harness.report.figures.svg import canvas, headline, series_color, series_dashes, series_marker, to_svg
from harness.report.sections.search import Search

SPENT = "trainings spent on the search"
"""The unit of a budget: trainings of the search's epochs at one pass a step; one with SAM counts twice."""


class BestSoFar(NamedTuple):
    """One method: what was spent after each configuration, in trainings, its score, and the best so far.

    Configurations are in the order in which they were asked; one without a score only spends.
    """

    method: str
    series: int
    words: str
    spent: list[float]
    best: list[float]
    scores: list[float | None]


def best_so_far(search: Search, series: int) -> BestSoFar | None:
    """A search's curve; None where nothing has a score."""
    asked = sorted(search.tried, key=lambda one: one.number)
    spent = list(accumulate(one.cost for one in asked))
    scores = [one.shown(search.objectives[0]) for one in asked]
    first = next((index for index, score in enumerate(scores) if score is not None), None)
    if first is None:
        return None
    best = list(accumulate((-1.0 if score is None else score for score in scores), max))
    return BestSoFar(search.method, series, search.score_words, spent[first:], best[first:], scores[first:])


def draw_best_so_far(curves: list[BestSoFar]) -> str:
    """All methods on one axis, so that equal budgets can be compared."""
    with canvas(5.2, 2.7) as (figure, axes):
        axes.grid(axis="y")
        for one in curves:
            color = series_color(one.series)
            known = [(x, y) for x, y in zip(one.spent, one.scores, strict=True) if y is not None]
            axes.scatter([x for x, _ in known], [y for _, y in known], color=color, s=9, alpha=0.45, linewidths=0)
            axes.step(
                one.spent,
                one.best,
                where="post",
                color=color,
                linestyle=series_dashes(one.series),
                marker=series_marker(one.series),
                markevery=[-1],
            )
        highest = max(curves, key=lambda one: one.best[-1]).method
        headline(figure, f"{highest} ends highest on validation clips" if len(curves) > 1 else "Best so far")
        axes.set(xlabel=SPENT, ylabel=curves[0].words)
        axes.set_xlim(left=0)
        words = "; ".join(f"{one.method} {one.best[-1]:.1f} after {one.spent[-1]:g}" for one in curves)
        return to_svg(figure, "best-so-far", f"Best {curves[0].words} against {SPENT}: {words}.")
