"""``dferbench power``: what a study of this size can tell apart, learnt from a pilot run."""

from itertools import combinations

import numpy as np

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.study_results import read_results
from harness.stats.outcomes import FoldOutcomes, Outcomes
from harness.stats.power import SHARED_CLIP_VARIANCE, Pilot, detectable_difference, seeds_needed
from harness.stats.variance_parts import variance_parts

SEEDS_SHOWN = (1, 3, 5, 10, 20)
DIFFERENCES_SHOWN = (0.005, 0.01, 0.02, 0.03)
ASSUMED_RUN_SD = 0.006
"""Assumed where the pilot has one seed: seeds of published DFER methods vary by 0.3 to 1 point of WAR.

That is as published, on a few thousand clips a fold, and holds some of their noise: rather too large than too small.
"""


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
    pilot = planned(outcomes, num_clips or outcomes.num_clips, num_folds or len(outcomes.folds))
    source = "assumed, the pilot has one seed" if variance_parts(outcomes) is None else "measured"
    one_right = f"Exactly one of two methods is right on {100 * discordance(outcomes):.1f} % of clips (pilot)"
    repeated = f"another seed repeats {100 * pilot.shared:.0f} % of what varies from clip to clip ({source})"
    between_seeds = f"beyond clips, WAR varies by {100 * pilot.run_sd:.2f} points between seeds ({source})"
    lines = [
        f"# What {pilot.num_clips} test clips in {pilot.num_folds} folds can tell apart",
        "",
        f"{one_right}; {repeated}; {between_seeds}. Two-sided 5 %, power 80 %.",
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


def planned(outcomes: Outcomes, num_clips: int, num_folds: int) -> Pilot:
    """What the pilot says of a study of that size; with one seed, how clips and seeds share it is assumed."""
    parts = variance_parts(outcomes)
    if parts is None:
        return Pilot(
            num_clips=num_clips, num_folds=num_folds, clip_variance=discordance(outcomes), run_sd=ASSUMED_RUN_SD
        )
    return Pilot(
        num_clips=num_clips,
        num_folds=num_folds,
        clip_variance=parts.of_clips,
        shared=parts.clip / parts.of_clips if parts.of_clips else SHARED_CLIP_VARIANCE,
        run_sd=float(np.sqrt(parts.seed / 2)),
    )


def _first(fold: FoldOutcomes, method: str, condition: int) -> np.ndarray:
    return np.asarray(fold.correct[fold.runs_of(method)[0], condition, 0])
