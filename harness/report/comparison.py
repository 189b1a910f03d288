"""``dferbench compare``: which differences between methods the data support, and which they do not."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.errors import HarnessError, unknown
from harness.paths import RunPaths
from harness.report.audited import under_rule
from harness.report.comparison_question import Question
from harness.report.comparison_text import comparison_text
from harness.report.exploration import exploration_text, explore
from harness.report.leaderboard import METRICS_SHOWN, Scoped, scoped_scores
from harness.report.published import require_trained
from harness.report.study_results import StudyResults, read_results
from harness.seeds import derive
from harness.stats.aggregate import CLEAN_SCOPE, scopes
from harness.stats.bootstrap import Resampling, bootstrap
from harness.stats.corrected_t import MIN_FOLDS, bayesian_correlated_t, nadeau_bengio
from harness.stats.effect_size import improvement, paired_effect
from harness.stats.exact_tests import attainable_floor, mcnemar, sign_flip, wilcoxon
from harness.stats.fold_scores import fold_scores, run_scores
from harness.stats.interval import percentile_band
from harness.stats.multiplicity import max_t
from harness.stats.outcomes import Outcomes


class Comparison(NamedTuple):
    """One row per pair of methods (fractions), and the same in words and percent."""

    table: pd.DataFrame
    markdown: str


def compare(run: RunPaths, question: Question) -> Comparison:
    """Compare the methods of a study.

    Raises:
        HarnessError: for an unknown baseline, metric or scope, or a study with a single method.
    """
    results = under_rule(read_results(run), question.selection)
    outcomes = results.outcomes
    _check(question, outcomes)
    resampling = Resampling(
        replicates=question.replicates,
        seed=derive("report", results.dataset["fingerprint"]),
        by_group=question.by_group,
    )
    scores = bootstrap(outcomes, resampling)
    scoped = scoped_scores(scores, outcomes, results.suite)
    if (question.tested, question.metric) not in scoped:
        raise unknown("scope", question.tested, {scope for scope, _ in scoped})
    table = _table(results, question, scoped[question.tested, question.metric])
    explored = explore(outcomes, scores, question, pairs_of(outcomes.methods, question.baseline), resampling)
    text = comparison_text(table, results, question, scores.covers)
    return Comparison(table, text + "\n".join(["", *exploration_text(explored, question), ""]))


def _check(question: Question, outcomes: Outcomes) -> None:
    if question.metric not in METRICS_SHOWN:
        raise unknown("metric to compare by", question.metric, METRICS_SHOWN)
    if question.baseline is not None and question.baseline not in outcomes.methods:
        require_trained(question.baseline)
        raise unknown("method", question.baseline, outcomes.methods)
    if len(outcomes.methods) < 2:
        raise HarnessError(
            f"{outcomes.methods[0]} is the only method with results; there is nothing to compare it with."
        )


def pairs_of(methods: tuple[str, ...], baseline: str | None) -> list[tuple[int, int]]:
    """The family of comparisons: every other method with the baseline, or all pairs."""
    if baseline is None:
        return [(one, other) for one in range(len(methods)) for other in range(one + 1, len(methods))]
    return [(one, methods.index(baseline)) for one in range(len(methods)) if methods[one] != baseline]


def _table(results: StudyResults, question: Question, scoped: Scoped) -> pd.DataFrame:
    outcomes = results.outcomes
    pairs = pairs_of(outcomes.methods, question.baseline)
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    observed = scoped.values[first] - scoped.values[second]
    replicates = scoped.replicates[:, first] - scoped.replicates[:, second]
    band, together = percentile_band(observed, replicates), max_t(observed, replicates)
    by_fold = scopes(fold_scores(outcomes, question.metric), outcomes.conditions, results.suite)[question.tested]
    by_run = [_by_run(results, question, method) for method in outcomes.methods]
    ratio = fold_ratio(results)
    rows = []
    for index, (one, other) in enumerate(pairs):
        row: dict[str, Any] = {"method": outcomes.methods[one], "against": outcomes.methods[other]}
        row |= {"difference": observed[index], "low": band.low[index], "high": band.high[index]}
        row |= {"low_family": together.low[index], "high_family": together.high[index]}
        row["p_family"] = together.p_value[index]
        row |= _by_fold(by_fold[:, one] - by_fold[:, other], ratio, question.half_width)
        row["p_improvement"] = improvement(by_run[one], by_run[other])
        row |= _by_checkpoint(outcomes, one, other) if question.tested == CLEAN_SCOPE else {}
        rows.append(row)
    return pd.DataFrame(rows)


def _by_run(results: StudyResults, question: Question, method: str) -> list[np.ndarray]:
    """The scores of a method's trainings in the question's scope, by fold."""
    outcomes, found = results.outcomes, []
    for fold in outcomes.folds:
        scores = run_scores(fold, question.metric)[fold.runs_of(method)]
        found.append(scopes(scores, outcomes.conditions, results.suite)[question.tested])
    return found


def fold_ratio(results: StudyResults) -> float:
    """Clips in a test fold over clips outside it, from the data set's real counts."""
    mean_test = results.outcomes.num_clips / len(results.outcomes.folds)
    return float(mean_test / max(results.dataset["num_clips"] - mean_test, 1))


def _by_fold(differences: np.ndarray, ratio: float, rope: float) -> dict[str, Any]:
    """Tests whose unit is the fold; those that need more folds than there are stay empty."""
    row: dict[str, Any] = {"folds": len(differences), "folds_better": int((differences > 0).sum())}
    row |= {"p_sign_flip": sign_flip(differences).p_value, "p_wilcoxon": wilcoxon(differences).p_value}
    row["p_floor"] = attainable_floor(len(differences))
    row["d_z"] = paired_effect(differences)
    if len(differences) >= MIN_FOLDS:
        test, posterior = nadeau_bengio(differences, ratio), bayesian_correlated_t(differences, ratio, rope)
        row |= {
            "fold_difference": test.mean,
            "fold_low": test.low,
            "fold_high": test.high,
            "p_corrected_t": test.p_value,
        }
        row |= {"worse": posterior.worse, "equivalent": posterior.equivalent, "better": posterior.better}
    return row


def _by_checkpoint(outcomes: Outcomes, one: int, other: int) -> dict[str, Any]:
    """McNemar's test of the two methods' networks, where each has a single one per fold."""
    if any(outcomes.num_runs(outcomes.methods[side]) != len(outcomes.folds) for side in (one, other)):
        return {}
    only_one = only_other = 0
    for fold in outcomes.folds:
        mine, theirs = (
            fold.correct[fold.runs_of(outcomes.methods[side])[0], outcomes.clean, 0] for side in (one, other)
        )
        only_one, only_other = only_one + int((mine & ~theirs).sum()), only_other + int((~mine & theirs).sum())
    test = mcnemar(only_one, only_other)
    return {
        "only_method": only_one,
        "only_against": only_other,
        "p_mcnemar": test.p_value,
        "mid_p_mcnemar": test.mid_p_value,
    }
