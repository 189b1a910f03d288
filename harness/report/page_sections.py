"""The values that each section of the page shows below the leaderboard, by the names that its template uses."""

from typing import Any, NamedTuple

import pandas as pd
import yaml

from harness.report.calibration_table import Calibrated
from harness.report.feature_maps import feature_maps
from harness.report.figures.best_so_far import best_so_far, draw_best_so_far
from harness.report.figures.cost_plots import cost_plots, draw_cost_plot
from harness.report.figures.epoch_curves import draw_epoch_curves, shared_epoch_limits
from harness.report.figures.front import draw_front, fronts
from harness.report.figures.maps import draw_map
from harness.report.figures.parallel import draw_parallel, parallel
from harness.report.figures.reliability_diagram import draw_reliability
from harness.report.figures.severity_curves import draw_severity_curve, severity_curves, shared_limits
from harness.report.figures.slices import draw_slice, slices
from harness.report.findings import Findings
from harness.report.leaderboard import METRICS_SHOWN, SCOPES_SHOWN
from harness.report.published import published_for
from harness.report.sections.calibration import SCALED, SHOWN, calibration_rows, ruled_calibration, scaled_rows
from harness.report.sections.classes import class_recalls, confusions
from harness.report.sections.cost import cost_rows
from harness.report.sections.folds import fold_rows
from harness.report.sections.other_metrics import other_metrics
from harness.report.sections.perturbations import largest_loss, perturbation_rows
from harness.report.sections.provenance import provenance
from harness.report.sections.reliability import bound_notes, reliability
from harness.report.sections.robustness import near_chance, robustness_rows, ruled_rows
from harness.report.sections.search import MIN_TO_JUDGE, OBJECTIVES, Search, chosen_recipes, searches
from harness.report.sections.selection import AUDIT_METRIC, epoch_curves, looked_at
from harness.report.study_results import StudyResults
from harness.tables.selections import RULES


class Measured(NamedTuple):
    """What else was measured: the METRICS table, calibration with the networks that it is of, the ROBUSTNESS table."""

    metrics: pd.DataFrame
    calibration: Calibrated
    robustness: pd.DataFrame


def page_sections(results: StudyResults, findings: Findings, measured: Measured) -> dict[str, Any]:
    """Everything below the leaderboard."""
    return {
        **_perturbed(results, findings, measured),
        **_clean(results, measured),
        **_selection(results, findings, measured),
        **_search(results),
        **_maps(results),
        **_trust(results, findings, measured),
        **_sources(results),
    }


def _perturbed(results: StudyResults, findings: Findings, measured: Measured) -> dict[str, Any]:
    outcomes = results.outcomes
    heat = {
        title: perturbation_rows(outcomes, findings.scores, results.suite, metric)
        for metric, title in METRICS_SHOWN.items()
    }
    return {
        "curves": {title: _curves(results, findings, metric) for metric, title in METRICS_SHOWN.items()},
        "heat": heat,
        "heat_scale": largest_loss([row for rows in heat.values() for row in rows]),
        "robustness": robustness_rows(results, measured.robustness),
        "near_chance": near_chance(outcomes, findings.scores),
    }


def _clean(results: StudyResults, measured: Measured) -> dict[str, Any]:
    outcomes = results.outcomes
    return {
        "methods": list(outcomes.methods),
        "classes": list(outcomes.classes),
        "class_recalls": class_recalls(outcomes),
        "confusions": confusions(outcomes),
        "folds": [fold.fold for fold in outcomes.folds],
        "fold_rows": fold_rows(outcomes),
        "other_metrics": other_metrics(results, measured.metrics),
    }


def _selection(results: StudyResults, findings: Findings, measured: Measured) -> dict[str, Any]:
    methods, audited = list(results.outcomes.methods), epoch_curves(results)
    title = METRICS_SHOWN[AUDIT_METRIC]
    limits = shared_epoch_limits(audited) if audited else (0.0, 100.0)
    return {
        "rules": list(RULES.values()),
        "metric_titles": METRICS_SHOWN,
        "scope_titles": SCOPES_SHOWN,
        "ruled_robustness": ruled_rows(results, measured.robustness),
        "ruled_calibration": ruled_calibration(measured.calibration.table),
        "selection": findings.selection,
        "looked": {one.method: one for one in looked_at(results)},
        "epoch_figures": [draw_epoch_curves(one, methods.index(one.method), title, limits) for one in audited],
    }


def _search(results: StudyResults) -> dict[str, Any]:
    found, methods = searches(results), list(results.outcomes.methods)
    curves = [curve for one in found for curve in [best_so_far(one, methods.index(one.method))] if curve]
    return {
        "searches": found,
        "search_drawings": {one.method: _drawings(one, methods.index(one.method)) for one in found},
        "best_so_far": draw_best_so_far(curves) if curves else "",
        "min_to_judge": MIN_TO_JUDGE,
        "objective_titles": OBJECTIVES,
        "recipes": chosen_recipes(results),
    }


def _drawings(search: Search, series: int) -> dict[str, Any]:
    """One search's parallel coordinates, slices, and fronts of several objectives."""
    info = parallel(search)
    return {
        "parallel": draw_parallel(info) if info else "",
        "slices": [draw_slice(one, series) for one in slices(search)],
        "fronts": [draw_front(one, series) for one in fronts(search)],
    }


def _trust(results: StudyResults, findings: Findings, measured: Measured) -> dict[str, Any]:
    costs, methods = cost_rows(results), list(results.outcomes.methods)
    on_cpu = bool(results.confirmed["device"].fillna("").str.startswith("cpu").all())
    diagrams = reliability(measured.calibration.trials)
    return {
        "calibration_titles": list(SHOWN.values()),
        "calibration": calibration_rows(results, measured.metrics),
        "scaled": scaled_rows(measured.calibration.table),
        "scaled_titles": SCALED,
        "bound_notes": bound_notes(measured.calibration.trials),
        "reliability_figures": [draw_reliability(one, methods.index(one.method)) for one in diagrams],
        "cost": costs,
        "cost_figures": [draw_cost_plot(one) for one in cost_plots(costs, findings.leaderboard, on_cpu=on_cpu)],
    }


def _maps(results: StudyResults) -> dict[str, Any]:
    maps = feature_maps(results)
    drawings = {
        (info.method, projection, coloring.title): draw_map(info, projection, coloring)
        for info in maps
        for projection in info.projections
        for coloring in info.colorings
    }
    return {"maps": maps, "map_drawings": drawings}


def _sources(results: StudyResults) -> dict[str, Any]:
    return {
        "published": published_for(results.dataset).to_dict("records"),
        "provenance": provenance(results),
        "study_text": yaml.safe_dump(results.study, sort_keys=False, allow_unicode=True),
    }


def _curves(results: StudyResults, findings: Findings, metric: str) -> list[str]:
    outcomes = results.outcomes
    chance = (
        100 / len(outcomes.classes) if metric == "uar" else 100 * float(max(outcomes.class_counts)) / outcomes.num_clips
    )
    curves = severity_curves(outcomes, findings.scores, results.suite, metric)
    limits = shared_limits(curves, chance) if curves else (0.0, 100.0)
    return [draw_severity_curve(curve, METRICS_SHOWN[metric], limits, chance) for curve in curves]
