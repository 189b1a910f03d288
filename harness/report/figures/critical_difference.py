"""Critical-difference diagram: mean ranks on one line, with bars over methods that the data cannot tell apart."""

import numpy as np

from harness.report.across import Ranking
from harness.report.figures.svg import FAINT, INK, canvas, on_lines, series_color, to_svg

ROW, LINE = 0.26, 0.14
"""Inches for one method's label, and for each more line of it."""
NAME_WIDTH = 26
"""Characters of a label on one line."""


def tied_spans(ranking: Ranking) -> list[tuple[int, int]]:
    """The longest runs of methods, by place in the order of mean ranks, that the critical difference does not part."""
    ranks = np.sort(ranking.ranks)
    ends = [int(np.flatnonzero(ranks - ranks[start] <= ranking.critical_difference)[-1]) for start in range(len(ranks))]
    spans = [(start, end) for start, end in enumerate(ends) if end > start]
    return [
        one for one in spans if not any(other != one and other[0] <= one[0] and one[1] <= other[1] for other in spans)
    ]


def draw_critical_difference(ranking: Ranking, methods: tuple[str, ...]) -> str:
    """Rank 1 at the left; labels to both sides, the better half at the left (Demsar, JMLR 2006, figure 1)."""
    order = np.argsort(ranking.ranks, kind="stable")
    ranks, spans = ranking.ranks[order], tied_spans(ranking)
    half = -(-len(order) // 2)
    depth = len(spans) * 0.3 + 0.5
    labels = [on_lines(f"{methods[index]} ({rank:.2f})", NAME_WIDTH) for rank, index in zip(ranks, order, strict=True)]
    row = ROW + LINE * max(label.count("\n") for label in labels)
    with canvas(6.4, 0.9 + row * half + 0.12 * len(spans)) as (figure, axes):
        axes.axis("off")
        axes.set(xlim=(0.2, len(order) + 0.8), ylim=(-depth - half * 0.6, 1.8))
        axes.plot([1, len(order)], [0, 0], color=INK, linewidth=1)
        for rank in range(1, len(order) + 1):
            axes.plot([rank, rank], [0, 0.15], color=INK, linewidth=1)
            axes.text(rank, 0.3, str(rank), ha="center", va="bottom", color=FAINT)
        for place, (rank, index) in enumerate(zip(ranks, order, strict=True)):
            left = place < half
            height = -depth - (place if left else len(order) - 1 - place) * 0.6
            edge = 0.75 if left else len(order) + 0.25
            axes.plot([rank, rank, edge], [0, height, height], color=series_color(int(index)), linewidth=1)
            side = "right" if left else "left"
            axes.text(edge + (-0.05 if left else 0.05), height, labels[place], ha=side, va="center")
        for level, (start, end) in enumerate(spans):
            height = -0.28 - 0.3 * level
            axes.plot([ranks[start] - 0.04, ranks[end] + 0.04], [height] * 2, color=INK, linewidth=3.5)
        width = min(ranking.critical_difference, len(order) - 1)
        axes.plot([1, 1 + width], [1.35, 1.35], color=FAINT, linewidth=2)
        axes.text(
            1 + width / 2, 1.45, f"critical difference {ranking.critical_difference:.2f}", ha="center", va="bottom"
        )
        listed = ", ".join(f"{methods[index]} {rank:.2f}" for rank, index in zip(ranks, order, strict=True))
        tied = "; ".join(" to ".join(methods[order[end]] for end in span) for span in spans) or "none"
        return to_svg(figure, "critical-difference", f"Mean ranks: {listed}. Not told apart: {tied}.")
