"""The leaderboard as a LaTeX table (booktabs), with the best and all that cannot be told from it in bold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from harness.report.leaderboard import TRAINED_ON, Scoped, shown_columns, shows_trained_on
from harness.stats.ranks import inseparable

COMMANDS = {"\\": "backslash", "^": "asciicircum", "~": "asciitilde", "<": "less", ">": "greater", "|": "bar"}
ESCAPED = str.maketrans(
    {sign: rf"\{sign}" for sign in "_%&#${}"} | {sign: rf"\text{name}{{}}" for sign, name in COMMANDS.items()}
)
"""Signs that mean something else in LaTeX, or are set as another one, with what prints them."""

BOLD = (
    r"Percent, with 95\,\% intervals. Bold: the best of a column and every method that these data cannot tell from it; "
    "bold is no ranking."
)
"""Stands below the table."""


def latex(frame: pd.DataFrame, scoped: dict[tuple[str, str], Scoped], methods: tuple[str, ...]) -> str:
    """A ``tabular`` in percent; intervals are small and beside the scores, what bold means is below."""
    columns = shown_columns(frame)
    bold = {name: bold_methods(scoped[_key(name)], methods) for name, _ in columns}
    trained_on = [TRAINED_ON] if shows_trained_on(frame) else []
    head = ["Method", *(title.translate(ESCAPED) for _, title in columns), *trained_on]
    rows = []
    for row in frame.to_dict("records"):
        cells = [_cell(row, name, row["method"] in bold[name]) for name, _ in columns]
        last = [str(row["trained_on"]).translate(ESCAPED) for _ in trained_on]
        rows.append([str(row["method"]).translate(ESCAPED), *cells, *last])
    return tabular(head, rows, BOLD, f"l{'r' * len(columns)}{'l' * len(trained_on)}")


def tabular(head: Sequence[str], rows: Sequence[Sequence[str]], note: str, align: str = "") -> str:
    """A ``tabular`` of cells that are LaTeX already, with a note below; all but the first column to the right."""
    align = align or f"l{'r' * (len(head) - 1)}"
    lines = [rf"\begin{{tabular}}{{{align}}}", r"\toprule", rf"{' & '.join(head)} \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in rows]
    below = rf"\multicolumn{{{len(align)}}}{{p{{0.9\linewidth}}}}{{\footnotesize {note}}}"
    return "\n".join([*lines, r"\bottomrule", below, r"\end{tabular}", ""])


def bold_methods(scoped: Scoped, methods: tuple[str, ...]) -> set[str]:
    """The best of a column and every method that cannot be told apart from it."""
    tied: Bool[np.ndarray, " m"] = inseparable(scoped.values, scoped.replicates)[int(np.argmax(scoped.values))]
    return {method for method, one in zip(methods, tied, strict=True) if one}


def _key(column: str) -> tuple[str, str]:
    metric, _, scope = column.partition("_")
    return scope, metric


def _cell(row: dict, name: str, bold: bool) -> str:
    value = f"{100 * row[name]:.1f}"
    limits = f"{100 * row[f'{name}_low']:.1f}--{100 * row[f'{name}_high']:.1f}"
    shown = rf"\textbf{{{value}}}" if bold else value
    return rf"{shown} {{\scriptsize {limits}}}"
