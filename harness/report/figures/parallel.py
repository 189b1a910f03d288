"""Parallel coordinates of a search: one line a configuration, one axis a parameter, and the score at the right."""

import math
from html import escape
from typing import NamedTuple

from harness.report.sections.axes import Axis
from harness.report.sections.search import Search, Tried

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 96, 34, 26
"""Margins in the drawing's own units, wide enough for the labels of the outer axes."""
LETTER, ROW = 6.2, 14
"""Room that a letter of an axis's name takes, and a row of names, where names would meet side by side."""


class Line(NamedTuple):
    """A configuration: where it meets each axis (None where it was not searched), and its place among the scores."""

    number: int
    places: list[float | None]
    share: float
    rank: int
    chosen: bool
    words: str


class Parallel(NamedTuple):
    """The axes, the score's own among them at the end, and the lines from worst to best."""

    method: str
    axes: list[Axis]
    lines: list[Line]


def parallel(search: Search) -> Parallel | None:
    """A search's drawing; None with fewer than two configurations that have a score."""
    scored = search.scored
    if len(scored) < 2:
        return None
    scores = [search.score(one) for one in scored]
    last = Axis(search.score_words, "linear", min(scores), max(scores), ())
    axes = [*search.axes, last]
    lines = [
        Line(
            number=one.number,
            places=[*(_place(axis, one) for axis in search.axes), last.place(score)],
            share=last.place(score),
            rank=rank,
            chosen=one.chosen,
            words=_words(search, one, score),
        )
        for rank, (one, score) in enumerate(zip(scored, scores, strict=True), 1)
    ]
    return Parallel(search.method, axes, lines[::-1])


def draw_parallel(info: Parallel) -> str:
    """The drawing as SVG; every line can be reached by pointer and keyboard, and says what it is."""
    spots = [LEFT + index * (WIDTH - LEFT - RIGHT) / (len(info.axes) - 1) for index in range(len(info.axes))]
    names = [_name(axis) for axis in info.axes]
    rows = _rows(names, spots[1] - spots[0])
    label = f"Parallel coordinates of {len(info.lines)} configurations of {info.method}; the table below has all values"
    lift = ROW * (rows - 1)
    parts = [
        f'<svg class="parallel" viewBox="0 {-lift} {WIDTH} {HEIGHT + lift}" role="group" aria-label="{escape(label)}">',
        *(_line(line, spots) for line in info.lines),
        *(
            _axis(axis, spot, name, ROW * (index % rows))
            for index, (axis, spot, name) in enumerate(zip(info.axes, spots, names, strict=True))
        ),
        "</svg>",
    ]
    return "".join(parts)


def _place(axis: Axis, one: Tried) -> float | None:
    return axis.place(one.values[axis.name]) if axis.name in one.values else None


def _words(search: Search, one: Tried, score: float) -> str:
    values = ", ".join(f"{name} {one.text(name)}" for name in search.names if name in one.values)
    return f"configuration {one.number}: {score:.1f} % with {values}"


def _height(place: float | None) -> float:
    """A place on an axis in the drawing's units; below every axis where the parameter was not searched."""
    return HEIGHT - 6 if place is None else TOP + (1 - place) * (HEIGHT - TOP - BOTTOM)


def _line(line: Line, spots: list[float]) -> str:
    points = " ".join(f"{spot:.1f},{_height(place):.1f}" for spot, place in zip(spots, line.places, strict=True))
    kept = " kept" if line.chosen else ""
    return (
        f'<polyline class="trial{kept}" tabindex="-1" data-number="{line.number}" data-rank="{line.rank}" '
        f'style="--v: {line.share:.3f}" points="{points}"><title>{escape(line.words)}</title></polyline>'
    )


def _name(axis: Axis) -> str:
    name = axis.name.rsplit(".", 1)[-1] if "." in axis.name and axis.scale != "score" else axis.name
    return f"{name} (log)" if axis.scale == "log" else name


def _rows(names: list[str], apart: float) -> int:
    """On how many rows names take turns so that none meets the next of its row."""
    return math.ceil(LETTER * max(map(len, names)) / apart)


def _axis(axis: Axis, spot: float, name: str, lift: int) -> str:
    top, bottom = _height(1.0), _height(0.0)
    ticks = "".join(
        f'<text class="tick" x="{spot + 4:.1f}" y="{_height(place) + 3:.1f}">{escape(text)}</text>'
        for place, text in axis.ticks
    )
    return (
        f'<g><title>{escape(axis.name)}</title><line class="axis" x1="{spot:.1f}" x2="{spot:.1f}" y1="{top:.1f}" '
        f'y2="{bottom:.1f}"/><text class="name" x="{spot:.1f}" y="{TOP - 14 - lift}">{escape(name)}</text>{ticks}</g>'
    )
