"""What the statistics say about a study, before anything is drawn."""

from typing import NamedTuple

import pandas as pd

from harness.report.augmentations import trained_on
from harness.report.leaderboard import Scoped, leaderboard, scoped_scores, scores_table, with_trained_on
from harness.report.notes import cautions, reading_notes
from harness.report.selection import Selection, selection_audit
from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.stats.bootstrap import Resampling, Scores, bootstrap


class Findings(NamedTuple):
    """Scores with replicates, the tables made of them, the notes that go with them, and the audit of the selection."""

    scores: Scores
    scoped: dict[tuple[str, str], Scoped]
    scores_table: pd.DataFrame
    leaderboard: pd.DataFrame
    reading_notes: list[str]
    cautions: list[str]
    selection: Selection


def analyse(results: StudyResults, replicates: int) -> Findings:
    """Resample the outcomes and rank the methods; the draws are named by the data, so equal data give equal numbers."""
    resampling = Resampling(replicates=replicates, seed=derive("report", results.dataset["fingerprint"]))
    scores = bootstrap(results.outcomes, resampling)
    scoped = scoped_scores(scores, results.outcomes, results.suite)
    table = scores_table(scoped, results.outcomes, scores.covers)
    return Findings(
        scores=scores,
        scoped=scoped,
        scores_table=table,
        leaderboard=with_trained_on(leaderboard(scoped, results.outcomes, table), trained_on(results)),
        reading_notes=reading_notes(results, scores, resampling),
        cautions=cautions(results),
        selection=selection_audit(results, scores, resampling),
    )
