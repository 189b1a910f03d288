"""What the statistics say about a study, before anything is drawn."""

from typing import NamedTuple

import pandas as pd

from harness.errors import HarnessError
from harness.report.augmentations import trained_on
from harness.report.leaderboard import (
    HEADLINE_METRIC,
    RANKED_BY,
    Scoped,
    leaderboard,
    scoped_scores,
    scores_table,
    with_trained_on,
)
from harness.report.notes import cautions, reading_notes
from harness.report.selection import Selection, selection_audit
from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.stats.aggregate import CLEAN_SCOPE
from harness.stats.bootstrap import Resampling, Scores, bootstrap


class Findings(NamedTuple):
    """Scores with replicates, the tables made of them, the notes that go with them, and the audit of the selection.

    ``leaderboard`` is ranked on clean clips; ``board`` is the one to show, ranked as it was asked for.
    """

    scores: Scores
    scoped: dict[tuple[str, str], Scoped]
    scores_table: pd.DataFrame
    leaderboard: pd.DataFrame
    board: pd.DataFrame
    reading_notes: list[str]
    cautions: list[str]
    selection: Selection


def analyse(results: StudyResults, replicates: int, by: str = CLEAN_SCOPE) -> Findings:
    """Resample the outcomes and rank the methods; the draws are named by the data, so equal data give equal numbers.

    Args:
        results: of a study, or of several merged.
        replicates: of the bootstrap.
        by: the scope whose UAR the shown board is ranked by, one of ``RANKED_BY``.

    Raises:
        HarnessError: if nothing was tested in that scope.
    """
    resampling = Resampling(replicates=replicates, seed=derive("report", results.dataset["fingerprint"]))
    scores = bootstrap(results.outcomes, resampling)
    scoped = scoped_scores(scores, results.outcomes, results.suite)
    if (by, HEADLINE_METRIC) not in scoped:
        raise HarnessError(
            f"These runs share no label-preserving perturbation, so their methods have no rank by '{by}'."
        )
    table, resembled = scores_table(scoped, results.outcomes, scores.covers), trained_on(results)
    boards = {scope: leaderboard(scoped, results.outcomes, table, scope) for scope in (CLEAN_SCOPE, by)}
    return Findings(
        scores=scores,
        scoped=scoped,
        scores_table=table,
        leaderboard=with_trained_on(boards[CLEAN_SCOPE], resembled),
        board=with_trained_on(boards[by], resembled),
        reading_notes=reading_notes(results, scores, resampling, RANKED_BY[by]),
        cautions=cautions(results),
        selection=selection_audit(results, scores, resampling),
    )
