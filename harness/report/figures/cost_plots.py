"""Accuracy against what it costs, with the methods that no other beats in both joined by a line."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from harness.report.figures.svg import FAINT, canvas, headline, log_x, on_lines, series_color, series_marker, to_svg
from harness.report.sections.cost import CostRow

NAME_WIDTH = 22
"""Characters of a method's name on one line."""
MEASURES = {
    "parameters_m": ("parameters (millions)", "Parameters"),
    "macs_g": ("multiply-accumulates per clip (billions)", "Computation"),
    "seconds": ("seconds per training", "Training time"),
    "peak_memory_mb": ("peak memory (MB)", "Memory"),
}
"""Costs by their column: the axis's words, and the plot's."""

ALIKE = 0.05
"""Costs that differ by a smaller share are called alike: time and memory vary by as much from run to run."""


class CostPoint(NamedTuple):
    """One method: its cost and its UAR on clean clips with limits, in percent; who shares a letter is tied in UAR."""

    method: str
    series: int
    cost: float
    score: float
    low: float
    high: float
    ties: str = ""


class CostPlot(NamedTuple):
    """One measure of cost; ``front`` are the methods that none beats in cost and score, cheapest first.

    ``of_process``: memory is that of the whole process, which networks have little part in.
    """

    measure: str
    points: list[CostPoint]
    front: list[str]
    of_process: bool = False


def cost_plots(rows: Sequence[CostRow], board: pd.DataFrame, *, on_cpu: bool = False) -> list[CostPlot]:
    """A plot per measure that is known of two or more methods; on a CPU, memory is that of the process."""
    columns = [100 * board[name].to_numpy() for name in ("uar_clean", "uar_clean_low", "uar_clean_high")]
    values = [column.tolist() for column in columns]
    scores = dict(zip(board["method"], zip(*values, board["tie"].tolist(), strict=True), strict=True))
    plots = []
    for measure in MEASURES:
        points = [
            CostPoint(row.method, index, float(cost), *scores[row.method])
            for index, row in enumerate(rows)
            for cost in [getattr(row, measure)]
            if cost
        ]
        if len(points) > 1:
            plots.append(CostPlot(measure, points, pareto(points), on_cpu and measure == "peak_memory_mb"))
    return plots


def pareto(points: Sequence[CostPoint]) -> list[str]:
    """Methods for which no other costs at most as much and scores at least as high, and one of the two strictly."""
    front = [
        one
        for one in points
        if not any(
            other.cost <= one.cost and other.score >= one.score and (other.cost < one.cost or other.score > one.score)
            for other in points
        )
    ]
    return [one.method for one in sorted(front, key=lambda one: (one.cost, one.method))]


def draw_cost_plot(info: CostPlot) -> str:
    """A point with its interval per method; costs are on a logarithmic axis where they span more than threefold."""
    words, title = MEASURES[info.measure]
    costs = [one.cost for one in info.points]
    with canvas(3.7, 2.8) as (figure, axes):
        axes.grid(axis="y")
        front = sorted((one for one in info.points if one.method in info.front), key=lambda one: one.cost)
        axes.plot([one.cost for one in front], [one.score for one in front], color=FAINT, linewidth=1, linestyle="--")
        for one in info.points:
            color = series_color(one.series)
            axes.plot([one.cost] * 2, [one.low, one.high], color=color, linewidth=1.6)
            axes.plot(one.cost, one.score, color=color, marker=series_marker(one.series), markersize=7, linestyle="")
            name, place = on_lines(one.method, NAME_WIDTH), (one.cost, one.score)
            axes.annotate(name, place, xytext=(6, 4), textcoords="offset points", fontsize=8)
        if max(costs) > 3 * min(costs):
            log_x(axes)
        axes.margins(x=0.25)
        headline(figure, f"{title}: {_finding(info)}")
        axes.set(xlabel=words, ylabel="UAR on clean clips (%)")
        listed = "; ".join(f"{one.method} {one.cost:.3g} for {one.score:.1f} %" for one in info.points)
        slug = info.measure.replace("_", "-")
        return to_svg(figure, f"cost-{slug}", f"UAR against {words}: {listed}. Not beaten: {', '.join(info.front)}.")


def _finding(info: CostPlot) -> str:
    """What may be said: who leads is ahead of every other method in a cost or a score that is not alike."""
    costs = [one.cost for one in info.points]
    if info.of_process:
        return "that of the process"
    if min(costs) >= (1 - ALIKE) * max(costs):
        return "alike for all"
    if len(info.front) > 1:
        return "no method beats all" if len(info.front) == len(info.points) else f"{len(info.front)} are not beaten"
    leader = next(one for one in info.points if one.method in info.front)
    close = any(_alike(leader, one) for one in info.points if one is not leader)
    return "differences are small" if close else f"{leader.method} leads"


def _alike(one: CostPoint, other: CostPoint) -> bool:
    """Whether two methods can be told apart neither by cost nor by score."""
    near = min(one.cost, other.cost) >= (1 - ALIKE) * max(one.cost, other.cost)
    return near and bool(set(one.ties) & set(other.ties))
