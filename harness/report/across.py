"""``dferbench across RUN...``: the same methods on several data sets, the only blocks that ranks may rest on."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.findings import analyse
from harness.report.leaderboard import DECIMALS, HEADLINE_METRIC, Scoped
from harness.report.notes import plural
from harness.report.study_results import StudyResults, read_results
from harness.stats.aggregate import CLEAN_SCOPE, PERTURBED_SCOPE
from harness.stats.multiplicity import shaffer
from harness.stats.outcomes import Outcomes
from harness.stats.ranking_tests import (
    MIN_BLOCKS,
    RankTest,
    critical_difference,
    friedman,
    mean_ranks,
    pair_ranks,
    tie_correction,
)
from harness.stats.run_summaries import interquartile_mean, probability_of_improvement

MIN_RUNS = 3
"""Seeds on every data set below which the spread between trainings is not summarised."""


class Block(NamedTuple):
    """One data set: its title, test clips, the scores of the methods, and UAR of every seed (pooled over folds)."""

    title: str
    fingerprint: str
    num_clips: int
    scored: Scoped
    by_seed: Float[np.ndarray, "m s"]


class Ranking(NamedTuple):
    """What ranks over data sets say: mean ranks, Friedman's test, and which pairs they tell apart."""

    ranks: Float[np.ndarray, " m"]
    test: RankTest
    critical_difference: float
    apart: Bool[np.ndarray, "m m"]
    pairs: pd.DataFrame


class Across(NamedTuple):
    """Several studies side by side.

    ``ranking`` is None below five data sets. ``runs`` is a matrix of seeds by data sets for each method, None below
    three seeds; ``improvement`` is then the chance that a seed of the row's method beats one of the column's.
    """

    methods: tuple[str, ...]
    scope: str
    blocks: list[Block]
    wins: pd.DataFrame
    ranking: Ranking | None
    runs: list[Float[np.ndarray, "s t"]] | None
    notes: list[str]

    @property
    def improvement(self) -> Float[np.ndarray, "m m"]:
        """Probability of improvement of rows over columns; half on the diagonal."""
        runs = self.runs or []
        return np.array([[probability_of_improvement(one, other) for other in runs] for one in runs])

    @property
    def middle_means(self) -> list[float]:
        """Interquartile mean over seeds and data sets, by method."""
        return [interquartile_mean(one) for one in self.runs or []]


def across(runs: Sequence[RunPaths], scope: str = CLEAN_SCOPE, replicates: int = 2000) -> Across:
    """Put the methods that all runs share side by side, and rank them where there are data sets enough.

    Args:
        runs: finished studies of different data sets.
        scope: ``clean`` or ``perturbed``; UAR in either case.
        replicates: of the bootstrap on each data set.

    Raises:
        HarnessError: for fewer than two data sets, the same one twice, or fewer than two shared methods.
    """
    if scope not in (CLEAN_SCOPE, PERTURBED_SCOPE):
        raise HarnessError(f"Data sets are compared under 'clean' or 'perturbed', not '{scope}'.")
    parts = [read_results(run) for run in runs]
    methods = _shared(parts)
    blocks = [_block(part, methods, scope, replicates) for part in parts]
    values = np.stack([block.scored.values for block in blocks])
    seeds = min(block.by_seed.shape[1] for block in blocks)
    matrices = [np.stack([block.by_seed[index, :seeds] for block in blocks], axis=1) for index in range(len(methods))]
    return Across(
        methods=methods,
        scope=scope,
        blocks=blocks,
        wins=_wins(values, methods),
        ranking=_ranking(values, methods) if len(blocks) >= MIN_BLOCKS else None,
        runs=matrices if seeds >= MIN_RUNS and scope == CLEAN_SCOPE else None,
        notes=_notes(parts, methods, len(blocks), seeds),
    )


def _shared(parts: Sequence[StudyResults]) -> tuple[str, ...]:
    """The methods of every study, in the first one's order."""
    seen: dict[str, str] = {}
    for part in parts:
        name, study = str(part.dataset["fingerprint"]), part.run.study
        if name in seen:
            raise HarnessError(
                f"{seen[name]} and {study} are of one data set; merge them with 'dferbench leaderboard'. Runs are "
                "blocks only where they are of different data sets."
            )
        seen[name] = study
    if len(parts) < 2:
        raise HarnessError("Name runs of two or more data sets.")
    methods = tuple(
        name for name in parts[0].outcomes.methods if all(name in part.outcomes.methods for part in parts[1:])
    )
    if len(methods) < 2:
        raise HarnessError(f"The runs have {len(methods)} method in common ({', '.join(methods)}); two are needed.")
    return methods


def _block(part: StudyResults, methods: tuple[str, ...], scope: str, replicates: int) -> Block:
    scoped = analyse(part, replicates).scoped
    if (scope, HEADLINE_METRIC) not in scoped:
        raise HarnessError(f"Study '{part.run.study}' was not tested under any label-preserving perturbation.")
    values, resampled = scoped[scope, HEADLINE_METRIC]
    order = [part.outcomes.methods.index(method) for method in methods]
    return Block(
        title=str(part.dataset["title"]),
        fingerprint=str(part.dataset["fingerprint"]),
        num_clips=part.outcomes.num_clips,
        scored=Scoped(values[order].round(DECIMALS), resampled[:, order]),
        by_seed=np.array([_by_seed(part.outcomes, method) for method in methods]).round(DECIMALS),
    )


def _by_seed(outcomes: Outcomes, method: str) -> list[float]:
    """UAR on clean clips of each of a method's seeds, its folds pooled; as many as every fold has."""
    scores = []
    for index in range(outcomes.num_seeds):
        hits, clips = np.zeros(len(outcomes.classes)), np.zeros(len(outcomes.classes))
        for fold in outcomes.folds:
            right = fold.correct[fold.runs_of(method)[index], outcomes.clean].mean(axis=0)
            hits += np.bincount(fold.labels, weights=right, minlength=len(hits))
            clips += np.bincount(fold.labels, minlength=len(clips))
        scores.append(float((hits[clips > 0] / clips[clips > 0]).mean()))
    return scores


def _wins(values: Float[np.ndarray, "blocks m"], methods: tuple[str, ...]) -> pd.DataFrame:
    """On how many data sets each pair's first scores higher, lower and the same, with the differences."""
    rows = []
    for one, other in combinations(range(len(methods)), 2):
        gaps = values[:, one] - values[:, other]
        counts = {"higher": (gaps > 0).sum(), "lower": (gaps < 0).sum(), "same": (gaps == 0).sum()}
        rows.append({"method": methods[one], "against": methods[other], **counts, "mean_difference": gaps.mean()})
    return pd.DataFrame(rows)


def _ranking(values: Float[np.ndarray, "blocks m"], methods: tuple[str, ...]) -> Ranking:
    blocks, count = values.shape
    ranks = mean_ranks(values)
    found = pair_ranks(ranks, blocks)
    difference = critical_difference(count, blocks)
    pairs = pd.DataFrame(
        {
            "method": [methods[index] for index in found.first],
            "against": [methods[index] for index in found.second],
            "p_shaffer": shaffer(found.p_value, count),
        }
    )
    return Ranking(
        ranks=ranks,
        test=friedman(ranks, blocks, tie_correction(values)),
        critical_difference=difference,
        apart=np.abs(ranks[:, None] - ranks[None]) > difference,
        pairs=pairs,
    )


def _notes(parts: Sequence[StudyResults], methods: tuple[str, ...], blocks: int, seeds: int) -> list[str]:
    notes = []
    if blocks < MIN_BLOCKS:
        notes.append(
            f"{blocks} data sets: ranks over data sets (Friedman, Nemenyi, critical differences) need {MIN_BLOCKS} or "
            "more. Folds and perturbed conditions are no substitutes: they share clips and trained networks."
        )
    if seeds < MIN_RUNS:
        few = plural(seeds, "seed")
        notes.append(f"{few}: probabilities of improvement and profiles need {MIN_RUNS} on every data set.")
    lost = sorted({name for part in parts for name in part.outcomes.methods} - set(methods))
    if lost:
        notes.append(f"Left out because not every data set has them: {', '.join(lost)}.")
    return notes
