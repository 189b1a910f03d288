"""A comparison over data sets as Markdown, as CSV, and as one page with its figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.report.across import Across
from harness.report.comparison_text import p_text
from harness.report.figures.critical_difference import draw_critical_difference
from harness.report.figures.profiles import draw_profiles
from harness.report.leaderboard import md_row, points
from harness.report.page import asset, templates
from harness.report.sections.answer import listed
from harness.stats.interval import share_band
from harness.tables.store import write_text


def write_across(found: Across, folder: Path) -> Path:
    """Write ``across.md``, ``across.csv`` and ``across.html``; the page's path is returned."""
    write_text(across_markdown(found), folder / "across.md")
    write_text(scores(found).to_csv(index=False, float_format="%.6f", lineterminator="\n"), folder / "across.csv")
    write_text(across_page(found), folder / "across.html")
    return folder / "across.html"


def scores(found: Across) -> pd.DataFrame:
    """UAR of every method on every data set with its 95 % interval, as fractions."""
    rows: list[dict[str, Any]] = []
    for block in found.blocks:
        band = share_band(*block.scored)
        rows.extend(
            {
                "dataset": block.title,
                "fingerprint": block.fingerprint,
                "method": method,
                "scope": found.scope,
                "uar": band.point[index],
                "low": band.low[index],
                "high": band.high[index],
                "num_clips": block.num_clips,
            }
            for index, method in enumerate(found.methods)
        )
    return pd.DataFrame(rows)


def answer_across(found: Across) -> str:
    """One paragraph: who is higher on how many data sets, and whether ranks tell anyone apart."""
    highest = np.array([block.scored.values == block.scored.values.max() for block in found.blocks]).sum(axis=0)
    ahead = [name for name, count in zip(found.methods, highest, strict=True) if count == highest.max()]
    holds = "has the highest UAR" if len(ahead) == 1 else "each have the highest UAR, alone or with others,"
    text = f"{listed(ahead)} {holds} on {highest.max()} of {len(found.blocks)} data sets."
    if found.ranking is None:
        return f"{text} That is too few data sets for a test of ranks; look at each data set's intervals."
    ranking = found.ranking
    best = int(ranking.ranks.argmin())
    beaten = [name for name, apart in zip(found.methods, ranking.apart[best], strict=True) if apart]
    claim = f"its mean rank is lower than that of {listed(beaten)} by more than the critical difference"
    doubt = "its mean rank differs from no other method's by more than the critical difference"
    rank = f"{found.methods[best]} has the best mean rank, {ranking.ranks[best]:.2f}"
    return f"{text} {rank}; {claim if beaten else doubt} of {ranking.critical_difference:.2f}."


def across_markdown(found: Across) -> str:
    """Scores by data set, differences by pair, and what ranks say."""
    lines = [f"# {len(found.blocks)} data sets, UAR ({found.scope})", "", answer_across(found), ""]
    lines += [md_row(["Data set", "Clips", *found.methods]), f"| :-- | --: |{' --: |' * len(found.methods)}"]
    table = scores(found)
    for block in found.blocks:
        own = table[table["fingerprint"] == block.fingerprint].to_dict("records")
        cells = [f"{100 * row['uar']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]" for row in own]
        lines.append(md_row([block.title, block.num_clips, *cells]))
    lines += ["", "| Method | Against | Higher on | Lower on | Mean difference (points) | Shaffer p |"]
    lines.append("| :-- | :-- | --: | --: | --: | --: |")
    for row in pairs(found):
        higher, lower = row["higher"], row["lower"]
        gap = points(row["mean_difference"])
        lines.append(md_row([row["method"], row["against"], higher, lower, gap, row["p"]]))
    return "\n".join([*lines, "", *(f"- {note}" for note in [*rank_notes(found), *found.notes]), ""])


def pairs(found: Across) -> list[dict[Any, Any]]:
    """Every pair with its wins and, where ranks were tested, its p-value among all pairs."""
    rows = found.wins.to_dict("records")
    tested = ["not tested"] * len(rows)
    if found.ranking is not None:
        tested = [p_text(value) for value in found.ranking.pairs["p_shaffer"]]
    return [{**row, "p": p} for row, p in zip(rows, tested, strict=True)]


def rank_notes(found: Across) -> list[str]:
    """The omnibus test and how the ranks are to be read."""
    if found.ranking is None:
        return []
    test, difference = found.ranking.test, found.ranking.critical_difference
    chi_square = f"chi-square {test.chi_square:.2f}, p {p_text(test.p_value)}"
    unanimous = "Iman and Davenport's F is undefined, because every data set ranks the methods alike"
    known = f"Iman and Davenport's F {test.f_statistic:.2f}, p {p_text(test.f_p_value)}"
    ratio = known if np.isfinite(test.f_statistic) else unanimous
    return [
        f"Friedman over {len(found.blocks)} data sets: {chi_square}; {ratio}.",
        f"Nemenyi's critical difference of mean ranks at 5 %: {difference:.2f}. Pairs: Shaffer's static procedure.",
    ]


def across_page(found: Across) -> str:
    """The comparison as one self-contained page."""
    table = scores(found)
    return (
        templates()
        .get_template("across.html")
        .render(
            style=asset("page.css") + asset("figures.css"),
            script=asset("page.js"),
            found=found,
            answer=answer_across(found),
            rows={block.title: table[table["dataset"] == block.title].to_dict("records") for block in found.blocks},
            pairs=pairs(found),
            notes=[*rank_notes(found), *found.notes],
            diagram=draw_critical_difference(found.ranking, found.methods) if found.ranking else "",
            profiles=draw_profiles(found.runs, found.methods) if found.runs else "",
            improvement=found.improvement.tolist() if found.runs else [],
            middle_means=found.middle_means,
        )
    )
