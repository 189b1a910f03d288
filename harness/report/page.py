"""The report as one HTML page that needs nothing else: styles, script and figures are inside it."""

from importlib.resources import files
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.report.figures.forest import draw_forest, forest
from harness.report.figures.severity_curves import draw_severity_curve, severity_curves, shared_limits
from harness.report.findings import Findings
from harness.report.leaderboard import METRICS_SHOWN, SCOPES_SHOWN, rank_text, shown_columns
from harness.report.published import published_for, text_of
from harness.report.sections.answer import answer
from harness.report.sections.calibration import SHOWN, calibration_rows
from harness.report.sections.classes import class_recalls, confusions
from harness.report.sections.cost import cost_rows
from harness.report.sections.coverage import coverage
from harness.report.sections.folds import fold_rows
from harness.report.sections.perturbations import largest_loss, perturbation_rows
from harness.report.sections.provenance import provenance
from harness.report.sections.robustness import robustness_rows
from harness.report.sections.search import chosen_recipes, searches
from harness.report.study_results import StudyResults
from harness.stats.aggregate import CLEAN_SCOPE, PERTURBED_SCOPE


def page(results: StudyResults, findings: Findings, metrics: pd.DataFrame) -> str:
    """The report of a study as HTML text."""
    loader = PackageLoader("harness.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    environment.filters["reported"] = text_of
    template = environment.get_template("page.html")
    return template.render(
        style=_asset("page.css"),
        script=_asset("page.js"),
        **_headline(results, findings),
        **_details(results, findings, metrics),
    )


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction in percent, without the sign."""
    return f"{100 * fraction:.{digits}f}"


def _asset(name: str) -> str:
    return files("harness.report.templates").joinpath(name).read_text(encoding="utf-8")


def _headline(results: StudyResults, findings: Findings) -> dict[str, Any]:
    """What the top of the page shows: the question, its answer, and the leaderboard."""
    board = findings.leaderboard
    rows = board.to_dict("records")
    methods = results.outcomes.methods
    return {
        "question": results.question,
        "study": results.run.study,
        "dataset": results.dataset,
        "answer": answer(board),
        "cautions": findings.cautions,
        "reading_notes": findings.reading_notes,
        "coverage": coverage(results),
        "columns": shown_columns(board),
        "rows": [row | {"rank_text": rank_text(row), "series": methods.index(row["method"])} for row in rows],
        "scope_groups": [name for scope, name in SCOPES_SHOWN.items() if f"uar_{scope}" in board],
        "forests": _forests(board, methods),
    }


def _details(results: StudyResults, findings: Findings, metrics: pd.DataFrame) -> dict[str, Any]:
    """Everything below the leaderboard."""
    outcomes = results.outcomes
    heat = {
        title: perturbation_rows(outcomes, findings.scores, results.suite, metric)
        for metric, title in METRICS_SHOWN.items()
    }
    return {
        "methods": list(outcomes.methods),
        "classes": list(outcomes.classes),
        "curves": {title: _curves(results, findings, metric) for metric, title in METRICS_SHOWN.items()},
        "heat": heat,
        "heat_scale": largest_loss([row for rows in heat.values() for row in rows]),
        "robustness": robustness_rows(results, findings),
        "class_recalls": class_recalls(outcomes),
        "confusions": confusions(outcomes),
        "folds": [fold.fold for fold in outcomes.folds],
        "fold_rows": fold_rows(outcomes),
        "searches": searches(results.trials),
        "recipes": chosen_recipes(results.trials),
        "calibration_titles": list(SHOWN.values()),
        "calibration": calibration_rows(results, metrics),
        "cost": cost_rows(results),
        "published": published_for(results.dataset).to_dict("records"),
        "provenance": provenance(results),
        "study_text": yaml.safe_dump(results.study, sort_keys=False, allow_unicode=True),
    }


def _forests(board: pd.DataFrame, methods: tuple[str, ...]) -> list[str]:
    titles = {f"uar_{CLEAN_SCOPE}": "UAR on clean clips", f"uar_{PERTURBED_SCOPE}": "UAR under perturbation"}
    return [draw_forest(forest(board, column, title, methods)) for column, title in titles.items() if column in board]


def _curves(results: StudyResults, findings: Findings, metric: str) -> list[str]:
    outcomes = results.outcomes
    chance = (
        100 / len(outcomes.classes) if metric == "uar" else 100 * float(max(outcomes.class_counts)) / outcomes.num_clips
    )
    curves = severity_curves(outcomes, findings.scores, results.suite, metric)
    limits = shared_limits(curves, chance) if curves else (0.0, 100.0)
    return [draw_severity_curve(curve, METRICS_SHOWN[metric], limits, chance) for curve in curves]
