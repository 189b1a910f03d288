"""Points of a feature map as compact SVG: one path a colour, one dot a clip."""

from html import escape

import numpy as np
from jaxtyping import Float

from harness.report.feature_maps import Coloring, FeatureMap
from harness.report.figures.svg import NUM_SERIES

SIZE, MARGIN = 300, 14
"""The drawing's own units."""

NAME_WIDTH, NAME_HEIGHT = 60, 13
"""What a name takes, in the same units."""

MOVES = (0, 1, -1, 2, -2, 3, -3)
"""Lines by which a name may be moved, the nearest place first."""


def draw_map(info: FeatureMap, projection: str, coloring: Coloring) -> str:
    """One projection in one colouring; classes are named at the median of their clips where that can be read."""
    points = MARGIN + info.projections[projection] * (SIZE - 2 * MARGIN)
    points[:, 1] = SIZE - points[:, 1]
    words = f"{projection} map of {info.clips} clean test clips of {info.method}, coloured by {coloring.title}"
    parts = [f'<svg class="map" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{escape(words)}">']
    parts += [_dots(points[coloring.codes == code], code, name) for code, name in enumerate(coloring.names)]
    if coloring.title == "class":
        parts += _names(points, coloring)
    return "".join([*parts, "</svg>"])


def _dots(points: Float[np.ndarray, "n 2"], code: int, name: str) -> str:
    """Lines of no length with round ends, which is what makes a dot of a path."""
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    color = "--faint" if name == "others" else f"--series-{code % NUM_SERIES}"
    return f'<path stroke="var({color})" d="{path}"><title>{escape(name)}</title></path>'


def _names(points: Float[np.ndarray, "n 2"], coloring: Coloring) -> list[str]:
    """Names at the medians of their clips, largest class first, moved a few lines where they would lie on another."""
    placed: list[tuple[float, float]] = []
    texts = []
    order = np.argsort(-np.bincount(coloring.codes, minlength=len(coloring.names)), kind="stable")
    for code in order.tolist():
        x, y = np.median(points[coloring.codes == code], axis=0).tolist()
        place = _free(min(max(x, NAME_WIDTH / 2), SIZE - NAME_WIDTH / 2), y, placed)
        if place:
            placed.append(place)
            name = escape(coloring.names[code])
            texts.append(f'<text class="name" x="{place[0]:.0f}" y="{place[1]:.0f}">{name}</text>')
    return texts


def _free(x: float, y: float, placed: list[tuple[float, float]]) -> tuple[float, float] | None:
    """The nearest place above or below that no name is at and that is on the map; None leaves it to the legend."""
    for lines in MOVES:
        moved = y + lines * NAME_HEIGHT
        taken = any(abs(x - other[0]) <= NAME_WIDTH and abs(moved - other[1]) < NAME_HEIGHT for other in placed)
        if NAME_HEIGHT < moved < SIZE and not taken:
            return x, moved
    return None
