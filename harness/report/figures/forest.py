"""Scores of all methods with their intervals, on one axis."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from harness.report.figures.svg import canvas, on_lines, series_color, series_marker, to_svg

NAME_WIDTH = 26
"""Characters of a method's name on one line."""


class Forest(NamedTuple):
    """One column of the leaderboard, best first, in percent; ``series`` is each method's place in the study."""

    title: str
    methods: list[str]
    series: list[int]
    point: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]


def forest(frame: pd.DataFrame, column: str, title: str, methods: tuple[str, ...]) -> Forest:
    """A leaderboard column as a forest plot, best score on top."""
    ordered = frame.sort_values(column, ascending=False, kind="stable")
    point, low, high = (100 * ordered[name].to_numpy() for name in (column, f"{column}_low", f"{column}_high"))
    names = ordered["method"].tolist()
    return Forest(title, names, [methods.index(name) for name in names], point, low, high)


def draw_forest(info: Forest) -> str:
    """A point and a bar per method."""
    names = [on_lines(name, NAME_WIDTH) for name in info.methods]
    row_height = 0.2 + 0.14 * (1 + max(name.count("\n") for name in names))
    with canvas(5.2, 0.9 + row_height * len(names)) as (figure, axes):
        axes.grid(axis="x")
        places = np.arange(len(info.methods))[::-1]
        for row, place in enumerate(places):
            color = series_color(info.series[row])
            axes.plot([info.low[row], info.high[row]], [place, place], color=color, linewidth=2.4, clip_on=False)
            axes.plot(
                info.point[row], place, color=color, marker=series_marker(info.series[row]), markersize=7, clip_on=False
            )
        axes.set(title=info.title, xlabel=f"{info.title.split()[0]} (%), 95 % interval", ylim=(-0.7, len(places) - 0.3))
        axes.set_yticks(places, names)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        listed = "; ".join(
            f"{name} {point:.1f} ({low:.1f} to {high:.1f})"
            for name, point, low, high in zip(info.methods, info.point, info.low, info.high, strict=True)
        )
        slug = "".join(character if character.isalnum() else "-" for character in info.title.lower())
        return to_svg(figure, f"forest-{slug}", f"{info.title} in percent with 95 % intervals: {listed}.")
