"""The report of a study: tables, leaderboard and one self-contained page, from stored predictions alone."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from harness.paths import RunPaths
from harness.report.calibration_table import calibrated
from harness.report.findings import analyse
from harness.report.leaderboard import csv, markdown
from harness.report.metrics_table import metrics_table
from harness.report.page import page
from harness.report.page_sections import Measured
from harness.report.published import published_markdown
from harness.report.robustness_table import robustness_table
from harness.report.selection import selection_markdown
from harness.report.study_results import read_results
from harness.tables.schema import CALIBRATION, METRICS, ROBUSTNESS, SCORES
from harness.tables.store import write, write_text

REPLICATES = 2000


class Outputs(NamedTuple):
    """What a report consists of."""

    leaderboard: pd.DataFrame
    markdown: str
    html_path: Path
    csv_path: Path
    md_path: Path


def build(run: RunPaths, replicates: int = REPLICATES) -> Outputs:
    """Compute and write a study's metrics, leaderboard and report from its stored predictions.

    Raises:
        HarnessError: if a file of the run is missing or no confirmed trial has finished.
    """
    results = read_results(run)
    findings = analyse(results, replicates)
    board, metrics = findings.leaderboard, metrics_table(results)
    notes = [*findings.reading_notes, *(f"Note: {one}" for one in findings.cautions)]
    text = markdown(board, results.question, notes) + selection_markdown(findings.selection)
    text += published_markdown(results.dataset)
    outputs = Outputs(
        leaderboard=board,
        markdown=text,
        html_path=run.output("report.html"),
        csv_path=run.output("leaderboard.csv"),
        md_path=run.output("leaderboard.md"),
    )
    write(metrics, METRICS, run.table("metrics"))
    tables = [table for table in (findings.scores_table, findings.selection.table) if len(table)]
    scores = pd.concat(tables, ignore_index=True)
    write(scores, SCORES, run.table("scores"))
    calibration = calibrated(results, replicates)
    write(calibration.table, CALIBRATION, run.table(CALIBRATION.name))
    robustness = robustness_table(results, findings)
    write(robustness, ROBUSTNESS, run.table(ROBUSTNESS.name))
    write_text(text, outputs.md_path)
    write_text(csv(board), outputs.csv_path)
    write_text(page(results, findings, Measured(metrics, calibration, robustness)), outputs.html_path)
    return outputs
