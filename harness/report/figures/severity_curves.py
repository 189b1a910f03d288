"""How each method's score falls as a perturbation grows, with bands."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.report.figures.svg import FAINT, canvas, series_color, series_dashes, series_marker, to_svg
from harness.stats.bootstrap import Scores
from harness.stats.outcomes import Outcomes
from harness.stats.suite import Suite

FEW_METHODS = 4
"""More methods than this get paler bands, or their lines drown."""


class SeverityCurve(NamedTuple):
    """One perturbation: severities from 0 (clean) on, and scores with limits, methods as rows, in percent."""

    name: str
    title: str
    order_destroying: bool
    severities: list[float]
    methods: tuple[str, ...]
    point: Float[np.ndarray, "m s"]
    low: Float[np.ndarray, "m s"]
    high: Float[np.ndarray, "m s"]


def severity_curves(outcomes: Outcomes, scores: Scores, suite: Suite, metric: str) -> list[SeverityCurve]:
    """Every perturbation's curve, label-preserving ones first."""
    band = scores.band(metric)
    curves = []
    for name, entries in suite.restricted_to(outcomes.conditions).perturbations().items():
        columns = [outcomes.clean, *(outcomes.conditions.index(entry.condition) for entry in entries)]
        point, low, high = (100 * values[:, columns] for values in band)
        severities = [0.0, *(entry.condition.severity for entry in entries)]
        order = entries[0].label_preserving == "order"
        curves.append(SeverityCurve(name, entries[0].title, order, severities, outcomes.methods, point, low, high))
    return sorted(curves, key=lambda curve: curve.order_destroying)


def draw_severity_curve(curve: SeverityCurve, metric_title: str, limits: tuple[float, float], chance: float) -> str:
    """One small multiple; all share their vertical limits, and a dotted line marks chance (percent).

    Lines are not cut at the limits, which they lie on where every clip is named rightly or none.
    """
    alpha = 0.14 if len(curve.methods) <= FEW_METHODS else 0.05
    with canvas(3.5, 2.5) as (figure, axes):
        axes.grid(axis="y")
        axes.axhline(chance, color=FAINT, linewidth=1, linestyle=":")
        for index in range(len(curve.methods)):
            color = series_color(index)
            axes.fill_between(
                curve.severities, curve.low[index], curve.high[index], color=color, alpha=alpha, linewidth=0
            )
            axes.plot(
                curve.severities,
                curve.point[index],
                color=color,
                marker=series_marker(index),
                linestyle=series_dashes(index),
                clip_on=False,
            )
        axes.set(title=curve.title, xlabel="severity", ylabel=f"{metric_title} (%)", ylim=limits)
        axes.set_xticks(curve.severities, ["clean", *(f"{severity:g}" for severity in curve.severities[1:])])
        return to_svg(figure, f"curve-{metric_title.lower()}-{curve.name}", _description(curve, metric_title))


def shared_limits(curves: list[SeverityCurve], chance: float) -> tuple[float, float]:
    """Vertical limits that hold every band, in steps of ten percent, at least one step apart."""
    lowest = min([chance, *(float(curve.low.min()) for curve in curves)])
    highest = max([chance, *(float(curve.high.max()) for curve in curves)])
    floor = min(10 * np.floor(lowest / 10), 90.0)
    return floor, max(10 * np.ceil(highest / 10), floor + 10)


def _description(curve: SeverityCurve, metric_title: str) -> str:
    falls = ", ".join(
        f"{method} from {row[0]:.1f} to {row[-1]:.1f}" for method, row in zip(curve.methods, curve.point, strict=True)
    )
    return f"{metric_title} in percent under {curve.title}, clean to severity {curve.severities[-1]:g}: {falls}."
