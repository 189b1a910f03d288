"""Test scores after every epoch, and where each rule of selection would have stopped."""

from harness.report.figures.svg import FAINT, INK, canvas, headline, series_color, to_svg
from harness.report.sections.selection import EpochCurve, MethodCurves

MARKS = {"validation": ("o", "chosen on validation clips"), "last": ("s", "last"), "best": ("*", "best on test")}
"""The sign of each rule, and its words."""


def draw_epoch_curves(info: MethodCurves, series: int, metric_title: str, limits: tuple[float, float]) -> str:
    """One method: a thin line per training, with the epoch of each rule marked."""
    color = series_color(series)
    with canvas(3.7, 2.6) as (figure, axes):
        axes.grid(axis="y")
        for curve in info.curves:
            axes.plot(curve.epochs, curve.scores, color=color, linewidth=1, alpha=0.55)
        for rule, (marker, label) in MARKS.items():
            places = [(epoch, curve.at(epoch)) for curve in info.curves for epoch in [_epoch(curve, rule)]]
            known = [(epoch, score) for epoch, score in places if epoch is not None and score is not None]
            if known:
                axes.scatter(
                    [epoch for epoch, _ in known],
                    [score for _, score in known],
                    marker=marker,
                    s=60 if marker == "*" else 26,
                    color=FAINT if rule == "best" else color,
                    edgecolors=INK if rule == "validation" else "none",
                    linewidths=0.8,
                    label=label,
                    zorder=3,
                )
        headline(figure, f"{info.method}\n{_finding(info)}")
        axes.set(xlabel="epoch", ylabel=f"test {metric_title} (%)", ylim=limits)
        axes.locator_params(axis="x", integer=True)
        return to_svg(figure, f"epochs-{series}", f"{metric_title} on clean test clips by epoch. {_words(info)}")


def shared_epoch_limits(methods: list[MethodCurves]) -> tuple[float, float]:
    """Vertical limits in steps of ten percent that hold every curve, with room for the marks on top."""
    scores = [score for one in methods for curve in one.curves for score in curve.scores]
    floor = min(10 * (min(scores) // 10), 90.0)
    return floor, max(-10 * (-max(scores) // 10), floor + 10) + 2


def _epoch(curve: EpochCurve, rule: str) -> int | None:
    return {"validation": curve.chosen, "last": curve.epochs[-1], "best": curve.best}[rule]


def _finding(info: MethodCurves) -> str:
    gain = _gain(info)
    return "validation's epoch is unknown" if gain is None else f"best on test: +{gain:.1f} points on average"


def _gain(info: MethodCurves) -> float | None:
    """Mean over trainings of the best test score minus that of the epoch chosen on validation clips."""
    chosen = [(max(curve.scores), curve.at(curve.chosen)) for curve in info.curves]
    gains = [best - score for best, score in chosen if score is not None]
    return sum(gains) / len(gains) if gains else None


def _words(info: MethodCurves) -> str:
    return " ".join(
        f"{info.method}, fold {curve.fold}, seed {curve.seed}: best {max(curve.scores):.1f} after epoch {curve.best}, "
        f"last {curve.scores[-1]:.1f}"
        + (f", validation's choice {score:.1f} after epoch {curve.chosen}." if score is not None else ".")
        for curve in info.curves
        for score in [curve.at(curve.chosen)]
    )
