"""What a paper needs beside the leaderboard: class recalls, confusions, robustness and cost, as CSV and LaTeX."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.report.latex import ESCAPED, tabular
from harness.report.sections.classes import ClassRecall, class_recalls
from harness.report.sections.cost import CostRow, cost_rows
from harness.report.sections.robustness import DOWN, UP, MeasureRow, robustness_rows
from harness.report.selection import Triple
from harness.report.study_results import StudyResults
from harness.tables.selections import RANKED
from harness.tables.store import write_text

COSTS = {
    "parameters_m": ("Parameters (M)", 2),
    "macs_g": ("MACs per clip (G)", 3),
    "seconds": ("Seconds per training", 1),
    "peak_memory_mb": ("Peak memory (MB)", 0),
    "trainings": ("Trainings compared", 0),
    "searched": ("Trials searched", 0),
}
"""What is shown of a ``CostRow``, with its decimals."""

ARROWS = {UP: r" $\uparrow$", DOWN: r" $\downarrow$", "": ""}
OF_CLASSES = r"Recall on clean clips in percent, folds pooled, with 95\,\% Wilson intervals over clips."
OF_MEASURES = (
    r"UAR form, percent unless it is a ratio or a change in points, with 95\,\% intervals. In brackets: of a method "
    "that is not known to be above chance, and so has nothing to keep."
)
OF_COST = "Means over trainings, on the machines that the report names; memory is that of the process."


def write_paper_tables(results: StudyResults, robustness: pd.DataFrame, folder: Path) -> list[Path]:
    """``recalls``, ``confusions``, ``cost`` and, where anything was perturbed, ``robustness``, each as CSV and LaTeX.

    Counts of confusions are over all folds and seeds of a method, and have no LaTeX table.
    """
    recalls, costs = class_recalls(results.outcomes), cost_rows(results)
    texts = {
        "recalls.csv": _csv(_recalls(results)),
        "recalls.tex": _recalls_latex(recalls, results.outcomes.methods),
        "confusions.csv": _csv(_confusions(results)),
        "cost.csv": _csv(pd.DataFrame(costs, columns=CostRow._fields)),
        "cost.tex": _cost_latex(costs),
    }
    if len(robustness):
        texts["robustness.csv"] = _csv(robustness)
        texts["robustness.tex"] = _robustness_latex(results, robustness)
    for name, text in texts.items():
        write_text(text, folder / name)
    return [folder / name for name in texts]


def _recalls(results: StudyResults) -> pd.DataFrame:
    """A row per method and class, in fractions."""
    methods = results.outcomes.methods
    return pd.DataFrame(
        [
            (method, row.name, row.clips, *row.recalls[index])
            for index, method in enumerate(methods)
            for row in class_recalls(results.outcomes)
        ],
        columns=["method", "class", "num_clips", "value", "low", "high"],
    )


def _recalls_latex(recalls: Sequence[ClassRecall], methods: Sequence[str]) -> str:
    rows = [[_escaped(row.name), str(row.clips), *(_number(one, "percent") for one in row.recalls)] for row in recalls]
    return tabular(["Class", "Clips", *map(_escaped, methods)], rows, OF_CLASSES)


def _confusions(results: StudyResults) -> pd.DataFrame:
    """A row per method, true class and named class, with how often that happened on clean clips."""
    outcomes = results.outcomes
    return pd.DataFrame(
        [
            (method, label, named, int(count))
            for method in outcomes.methods
            for label, counts in zip(outcomes.classes, outcomes.confusion(method, outcomes.clean), strict=True)
            for named, count in zip(outcomes.classes, counts, strict=True)
        ],
        columns=["method", "class", "named", "count"],
    )


def _cost_latex(costs: Sequence[CostRow]) -> str:
    rows = [[_escaped(row.method), *(_cost(getattr(row, name), COSTS[name][1]) for name in COSTS)] for row in costs]
    return tabular(["Method", *(title for title, _ in COSTS.values())], rows, OF_COST)


def _cost(value: float | int | None, digits: int) -> str:
    return "--" if value is None else f"{value:.{digits}f}"


def _robustness_latex(results: StudyResults, table: pd.DataFrame) -> str:
    """Measures as rows, methods as columns; nothing is bold, as no pair was compared by these measures."""
    methods, near_chance = results.outcomes.methods, _near_chance(table)
    rows = [
        [
            f"{_escaped(row.measure.title)}{ARROWS[row.measure.better]}",
            *(_measured(row, index, methods[index] in near_chance) for index in range(len(methods))),
        ]
        for row in robustness_rows(results, table)
    ]
    return tabular(["Measure", *map(_escaped, methods)], rows, OF_MEASURES)


def _near_chance(table: pd.DataFrame) -> set[str]:
    """Methods that are not known to be above chance, so that what is kept above it has no interval."""
    kept = table[(table["measure"] == "retention") & (table["metric"] == "uar") & (table["selection"] == RANKED)]
    return set(kept.loc[kept["low"].isna(), "method"])


def _measured(row: MeasureRow, index: int, near_chance: bool) -> str:
    value = row.values[index]
    if value is None or math.isnan(value[0]):
        return "--" if value is None else "not defined"
    shown = _number(value, row.measure.form)
    return f"({shown})" if near_chance and row.measure.of_chance else shown


def _number(value: Triple, form: str) -> str:
    r"""``61.7 {\scriptsize 54.0--69.4}`` of fractions; changes in points have a sign, ratios two decimals.

    >>> _number((-0.031, -0.05, 0.012), "points")
    '$-3.1$ {\\scriptsize $-5.0$ to $+1.2$}'
    """
    one, low, high = (_text(number, form) for number in value)
    limits = "no interval" if math.isnan(value[1]) else f"{low}{' to ' if form == 'points' else '--'}{high}"
    return rf"{one} {{\scriptsize {limits}}}"


def _text(number: float, form: str) -> str:
    if form == "ratio":
        return f"{number:.2f}"
    return f"${100 * number:+.1f}$" if form == "points" else f"{100 * number:.1f}"


def _escaped(text: str) -> str:
    return text.translate(ESCAPED)


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
