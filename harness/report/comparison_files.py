"""A comparison as files: what was said (Markdown), its numbers in full (CSV), and a table for a paper (LaTeX)."""

from pathlib import Path
from typing import Any

from harness.report.comparison import Comparison
from harness.report.comparison_text import p_text
from harness.report.latex import ESCAPED
from harness.report.leaderboard import points
from harness.tables.store import write_text

HEAD = ("Method", "Against", "Difference", r"95\,\% interval", "Family-wise interval", r"Family-wise $p$")


def write_comparison(found: Comparison, folder: Path) -> dict[str, Path]:
    """Write ``comparison.md``, ``.csv`` and ``.tex`` into a folder; their paths, by ending.

    The CSV has a row for each pair and fractions, not percent.
    """
    texts = {
        "md": found.markdown,
        "csv": found.table.to_csv(index=False, float_format="%.6f", lineterminator="\n"),
        "tex": latex_comparison(found),
    }
    paths = {ending: folder / f"comparison.{ending}" for ending in texts}
    for ending, text in texts.items():
        write_text(text, paths[ending])
    return paths


def latex_comparison(found: Comparison) -> str:
    """A ``tabular`` (booktabs) in percentage points, with each pair's interval and the one for the whole family."""
    lines = [r"\begin{tabular}{llrrrr}", r"\toprule", rf"{' & '.join(HEAD)} \\", r"\midrule"]
    lines += [rf"{' & '.join(_cells(row))} \\" for row in found.table.to_dict("records")]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _cells(row: dict[Any, Any]) -> list[str]:
    names = [str(row[name]).translate(ESCAPED) for name in ("method", "against")]
    intervals = [_interval(row["low"], row["high"]), _interval(row["low_family"], row["high_family"])]
    return [*names, f"${points(row['difference'])}$", *intervals, f"${p_text(row['p_family'])}$"]


def _interval(low: float, high: float) -> str:
    return f"$[{points(low)}, {points(high)}]$"
