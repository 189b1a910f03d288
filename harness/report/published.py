"""Numbers that papers report, as facts with their sources; they are shown apart and never ranked."""

from importlib.resources import files
from io import StringIO

import pandas as pd

AVERAGED = ("5fd avg", "test")
"""Protocols whose figure is for the whole data set rather than for one fold."""

HEADING = "## Reported in the literature, not reproduced here"


def published() -> pd.DataFrame:
    """Every reported result, one row a method and protocol, scores in percent.

    Columns: method, year, venue, data set, protocol, per-class recalls, UAR, WAR, parameters, FLOPs, pretraining and
    source. An empty cell means that the source does not say.
    """
    text = files("harness.report").joinpath("published_results.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), dtype={"year": "Int64"})


def published_for(dataset: str) -> pd.DataFrame:
    """The results on a whole data set, best WAR first; none for a data set that the literature does not know."""
    rows = published()
    own = rows[(rows["dataset"].str.lower() == dataset.lower()) & rows["protocol"].isin(AVERAGED)]
    return own.sort_values(["WAR", "UAR", "method"], ascending=[False, False, True]).reset_index(drop=True)


def published_markdown(dataset: str) -> str:
    """The block that follows a leaderboard; empty for other data sets."""
    rows = published_for(dataset)
    if rows.empty:
        return ""
    lines = [
        "",
        HEADING,
        "",
        "Percent as printed, without intervals; most of these choose the epoch on the test clips. No rank.",
        "",
        "| Method | Year | UAR | WAR | Pretraining | Source |",
        "| :-- | --: | --: | --: | :-- | :-- |",
    ]
    for row in rows.to_dict("records"):
        cells = [row["method"], row["year"], row["UAR"], row["WAR"], row["pretraining"], row["source"]]
        lines.append("| " + " | ".join(text_of(cell) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def text_of(cell: object) -> str:
    """A cell as text: two decimals for scores, nothing for what is not reported."""
    if pd.isna(cell):  # type: ignore[call-overload]  # the stubs do not know that a scalar of any type is allowed
        return ""
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell).replace("|", "/")
