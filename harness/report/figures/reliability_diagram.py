"""Reliability diagrams: accuracy against confidence, before and after temperature scaling."""

import numpy as np

from harness.report.figures.svg import FAINT, canvas, headline, series_color, to_svg
from harness.report.sections.reliability import Reliability


def draw_reliability(info: Reliability, series: int) -> str:
    """A method's diagram; the diagonal is perfect calibration."""
    color = series_color(series)
    with canvas(3.1, 2.9) as (figure, axes):
        axes.grid(visible=True)
        axes.plot([0, 100], [0, 100], color=FAINT, linewidth=1, linestyle=":")
        for bins, style, fill in ((info.trained, "-", color), (info.scaled, "--", "none")):
            axes.plot(
                100 * bins.confidence,
                100 * bins.accuracy,
                color=color,
                linestyle=style,
                linewidth=1.4,
                marker="o",
                markerfacecolor=fill,
                markeredgecolor=color,
            )
        headline(figure, f"{info.method}\n{_finding(info)}")
        axes.set(xlabel="confidence (%)", ylabel="clips named rightly (%)")
        axes.set(xlim=(0, 102), ylim=(0, 102))
        return to_svg(figure, f"reliability-{series}", _words(info))


def _finding(info: Reliability) -> str:
    gap = 100 * _gap(info)
    if abs(gap) < 1:
        return "about as sure as right (test)"
    return f"too {'sure' if gap > 0 else 'unsure'} by {abs(gap):.0f} points (test)"


def _gap(info: Reliability) -> float:
    """Mean confidence less accuracy, as a fraction, over all clips."""
    bins = info.trained
    return float(np.average(bins.confidence - bins.accuracy, weights=bins.clips))


def _words(info: Reliability) -> str:
    pairs = ", ".join(f"{100 * x:.0f} and {100 * y:.0f}" for x, y in zip(*info.trained[:2], strict=True))
    return f"Confidence and accuracy of {info.method} in percent by bin, as trained: {pairs}."
