"""Configurations by two objectives at once, with those that no other beats in all objectives joined by a line."""

from typing import NamedTuple

from harness.report.figures.svg import FAINT, INK, canvas, headline, series_color, to_svg
from harness.report.sections.search import OBJECTIVES, Search, Tried


class Front(NamedTuple):
    """One method, its first objective against another; only configurations trained on every fold."""

    method: str
    first: str
    other: str
    shown: list[Tried]


def fronts(search: Search) -> list[Front]:
    """The first objective against each of the others; none for a search of a single objective."""
    first, *others = search.objectives
    return [Front(search.method, first, other, search.scored) for other in others if len(search.scored) > 1]


def draw_front(info: Front, series: int) -> str:
    """The chosen configuration is ringed."""
    with canvas(3.7, 2.8) as (figure, axes):
        axes.grid(visible=True)
        kept = sorted((one for one in info.shown if one.front), key=lambda one: one.objectives[info.other])
        line = [_place(info, one) for one in kept]
        axes.plot([x for x, _ in line], [y for _, y in line], color=FAINT, linestyle="--", linewidth=1)
        for one in info.shown:
            x, y = _place(info, one)
            axes.plot(x, y, color=series_color(series) if one.front else FAINT, marker="o", markersize=5)
            if one.chosen:
                axes.plot(x, y, marker="o", markersize=10, markerfacecolor="none", markeredgecolor=INK)
        headline(figure, f"{info.method}\n{len(kept)} of {len(info.shown)} are not beaten in all objectives")
        axes.set(xlabel=OBJECTIVES[info.other], ylabel=OBJECTIVES[info.first])
        listed = ", ".join(f"configuration {one.number}" for one in kept)
        slug = info.other.replace("_", "-")
        return to_svg(
            figure, f"front-{series}-{slug}", f"{OBJECTIVES[info.first]} against {OBJECTIVES[info.other]}: {listed}."
        )


def _place(info: Front, one: Tried) -> tuple[float, float]:
    """A complete configuration's other and first objective, in the units of their words."""
    scale = {name: 1.0 if name == "cost" else 100.0 for name in (info.other, info.first)}
    return scale[info.other] * one.objectives[info.other], scale[info.first] * one.objectives[info.first]
