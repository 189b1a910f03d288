"""The report as one HTML page that needs nothing else: styles, script and figures are inside it."""

from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.report.figures.forest import draw_forest, forest
from harness.report.findings import Findings
from harness.report.leaderboard import SCOPES_SHOWN, points, rank_text, shown_columns, shows_trained_on
from harness.report.page_sections import Measured, page_sections
from harness.report.published import text_of
from harness.report.sections.answer import answer, changes
from harness.report.sections.coverage import coverage
from harness.report.study_results import StudyResults
from harness.stats.aggregate import CLEAN_SCOPE, PERTURBED_SCOPE


def page(results: StudyResults, findings: Findings, measured: Measured) -> str:
    """The report of a study as HTML text."""
    return (
        templates()
        .get_template("page.html")
        .render(
            style=asset("page.css") + asset("figures.css"),
            script=asset("page.js") + asset("search.js"),
            **_headline(results, findings),
            **page_sections(results, findings, measured),
        )
    )


def templates() -> Environment:
    """The package's templates, which escape what they are given and know no missing value."""
    environment = Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["points"] = signed
    environment.filters["capitalised"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["reported"] = text_of
    return environment


def asset(name: str) -> str:
    """A style sheet or script of the package."""
    return files("harness.report.templates").joinpath(name).read_text(encoding="utf-8")


def signed(fraction: float) -> str:
    """A difference in percentage points with its sign, minus as a minus; what rounds to nothing has none."""
    return points(fraction).replace("-", "\N{MINUS SIGN}")


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction in percent, without the sign."""
    return f"{100 * fraction:.{digits}f}"


def _headline(results: StudyResults, findings: Findings) -> dict[str, Any]:
    """What the top of the page shows: the question, its answer, and the leaderboard."""
    board = findings.board
    rows = board.to_dict("records")
    methods = results.outcomes.methods
    return {
        "question": results.question,
        "study": results.run.study,
        "dataset": results.dataset,
        "answer": answer(
            findings.leaderboard,
            changes(findings.scoped, methods),
            1 / int((results.outcomes.class_counts > 0).sum()),
        ),
        "cautions": findings.cautions,
        "reading_notes": findings.reading_notes,
        "coverage": coverage(results),
        "columns": shown_columns(board),
        "trained_on": shows_trained_on(board),
        "rows": [row | {"rank_text": rank_text(row), "series": methods.index(row["method"])} for row in rows],
        "scope_groups": [name for scope, name in SCOPES_SHOWN.items() if f"uar_{scope}" in board],
        "forests": _forests(board, methods),
    }


def _forests(board: pd.DataFrame, methods: tuple[str, ...]) -> list[str]:
    titles = {f"uar_{CLEAN_SCOPE}": "UAR on clean clips", f"uar_{PERTURBED_SCOPE}": "UAR under perturbation"}
    return [draw_forest(forest(board, column, title, methods)) for column, title in titles.items() if column in board]
