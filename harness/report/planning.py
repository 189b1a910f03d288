"""``dferbench power``: what a study of this size can tell apart, learnt from a pilot run."""

from itertools import combinations

import numpy as np

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.study_results import read_results
from harness.stats.outcomes import FoldOutcomes, Outcomes
from harness.stats.power import Pilot, detectable_difference, seeds_needed

SEEDS_SHOWN = (1, 3, 5, 10, 20)
DIFFERENCES_SHOWN = (0.005, 0.01, 0.02, 0.03)
ASSUMED_RUN_SD = 0.006
"""Assumed where the pilot has one seed: seeds of published DFER methods vary by 0.3 to 1 point of WAR."""


def power_report(run: RunPaths, num_clips: int | None = None, num_folds: int | None = None) -> str:
    """Detectable differences of WAR by number of seeds, and seeds needed by difference, as Markdown.

    Args:
        run: a pilot with at least two methods; with two or more seeds it also measures the variation of training.
        num_clips: test clips of the planned study; the pilot's if None.
        num_folds: folds of the planned study; the pilot's if None.

    Raises:
        HarnessError: if the pilot has a single method.
    """
    outcomes = read_results(run).outcomes
    if len(outcomes.methods) < 2:
        raise HarnessError(
            "A pilot for power needs at least two methods, to see how often exactly one of them is right."
        )
    measured = run_sd(outcomes)
    pilot = Pilot(
        num_clips=num_clips or outcomes.num_clips,
        num_folds=num_folds or len(outcomes.folds),
        discordance=discordance(outcomes),
        run_sd=ASSUMED_RUN_SD if measured is None else measured,
    )
    source = "assumed, the pilot has one seed" if measured is None else "measured"
    one_right = f"Exactly one of two methods is right on {100 * pilot.discordance:.1f} % of clips (pilot)"
    between_seeds = f"WAR varies by {100 * pilot.run_sd:.2f} points between seeds ({source})"
    lines = [
        f"# What {pilot.num_clips} test clips in {pilot.num_folds} folds can tell apart",
        "",
        f"{one_right}; {between_seeds}. Two-sided 5 %, power 80 %.",
        "",
        f"| Seeds per fold | {' | '.join(str(seeds) for seeds in SEEDS_SHOWN)} | unlimited |",
        f"| :-- |{' --: |' * (len(SEEDS_SHOWN) + 1)}",
        "| Detectable difference (points) | "
        + " | ".join(f"{100 * detectable_difference(pilot, seeds):.1f}" for seeds in (*SEEDS_SHOWN, np.inf))
        + " |",
        "",
        "| Difference (points) | Seeds per fold needed |",
        "| --: | :-- |",
    ]
    for difference in DIFFERENCES_SHOWN:
        seeds = seeds_needed(pilot, difference)
        lines.append(f"| {100 * difference:g} | {seeds if seeds else 'impossible: more seeds do not buy test clips'} |")
    return "\n".join([*lines, ""])


def discordance(outcomes: Outcomes) -> float:
    """The share of clean clips that exactly one of two methods' first networks names rightly, mean over all pairs."""
    shares = [
        float((_first(fold, one, outcomes.clean) != _first(fold, other, outcomes.clean)).mean())
        for fold in outcomes.folds
        for one, other in combinations(outcomes.methods, 2)
    ]
    return float(np.mean(shares))


def run_sd(outcomes: Outcomes) -> float | None:
    """Standard deviation of WAR between seeds within a fold, pooled over folds and methods; None for one seed."""
    variances = []
    for fold in outcomes.folds:
        for method in outcomes.methods:
            war = fold.correct[fold.runs_of(method), outcomes.clean].mean(axis=(1, 2))
            if len(war) > 1:
                variances.append(float(np.var(war, ddof=1)))
    return float(np.sqrt(np.mean(variances))) if variances else None


def _first(fold: FoldOutcomes, method: str, condition: int) -> np.ndarray:
    return np.asarray(fold.correct[fold.runs_of(method)[0], condition, 0])
