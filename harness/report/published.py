"""Numbers that papers report, as facts with their sources; they are shown apart and never ranked."""

from importlib.resources import files
from io import StringIO
from typing import Any

import pandas as pd

from harness.errors import HarnessError

AVERAGED = ("5fd avg", "test")
"""Protocols whose figure is for the whole data set rather than for one fold."""

NUM_CLIPS = {"dfew": 11_697, "ferv39k": 38_935}
"""Clips of the single-label protocols: DFEW (Jiang et al., ACM MM 2020) and FERV39k (Wang et al., CVPR 2022)."""

MISSING_SHARE = 0.05
"""A copy that lacks more clips than this is not the data set that the papers report on."""

HEADING = "## Reported in the literature, not reproduced here"


def published() -> pd.DataFrame:
    """Every reported result, one row a method and protocol, scores in percent.

    Columns: method, year, venue, data set, protocol, per-class recalls, UAR, WAR, parameters, FLOPs, pretraining and
    source. An empty cell means that the source does not say.
    """
    text = files("harness.report").joinpath("published_results.csv").read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), dtype={"year": "Int64"})


def require_trained(method: str) -> None:
    """Refuse to compare with a number of the literature.

    Raises:
        HarnessError: if the name is that of a published result.
    """
    if method.lower() in set(published()["method"].str.lower()):
        raise HarnessError(
            f"'{method}' is a published number, not a training of this study: it has no predictions, so its difference "
            "from another method has no interval and no test. Train it here to compare with it."
        )


def published_for(dataset: dict[str, Any]) -> pd.DataFrame:
    """The results on a whole data set, best WAR first; none for a data set that the literature does not know.

    Args:
        dataset: ``dataset.json``. Another data set in the layout of a known one, or a part of it, has other counts.
    """
    rows, name = published(), str(dataset["name"]).lower()
    known = abs(dataset["num_clips"] - NUM_CLIPS.get(name, 0)) <= MISSING_SHARE * NUM_CLIPS.get(name, 0)
    own = rows[(rows["dataset"].str.lower() == (name if known else "")) & rows["protocol"].isin(AVERAGED)]
    return own.sort_values(["WAR", "UAR", "method"], ascending=[False, False, True]).reset_index(drop=True)


def published_markdown(dataset: dict[str, Any]) -> str:
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
