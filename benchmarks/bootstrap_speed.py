"""How fast the paired bootstrap is: WAR, UAR and all pairwise differences, beside scipy.stats.bootstrap.

    OMP_NUM_THREADS=1 python benchmarks/bootstrap_speed.py
    OMP_NUM_THREADS=1 python benchmarks/bootstrap_speed.py --replicates 1000 --methods 4

prints a Markdown table: seconds and peak memory of this process, and scipy's time for one method and condition,
measured with fewer replicates and scaled up, because all of them would take hours.
"""

import argparse
import resource
import time
from itertools import combinations

import numpy as np
from scipy import stats

from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.bootstrap import Resampling, Scores, bootstrap
from harness.stats.outcomes import FoldOutcomes, Outcomes, Run

SHARES = (0.21, 0.16, 0.23, 0.19, 0.13, 0.02, 0.06)
"""DFEW's classes, roughly."""


def outcomes_of(methods: int, conditions: int, clips: int, folds: int = 5) -> Outcomes:
    """Predictions that are right in about 60 % of all cells, in DFEW's proportions."""
    names = tuple(f"method{index:02d}" for index in range(methods))
    made = []
    for number in range(1, folds + 1):
        generator = np.random.default_rng(number)
        labels = generator.choice(len(SHARES), size=clips // folds, p=SHARES)
        right = generator.random((methods, conditions, 1, len(labels))) < 0.6
        ids = np.array([f"{number}-{index}" for index in range(len(labels))], dtype=object)
        made.append(
            FoldOutcomes(
                fold=number,
                runs=tuple(Run(method=name, fold=number, seed=0, trial_id=name) for name in names),
                clip_ids=ids,
                groups=ids,
                labels=labels,
                predicted=np.where(right, labels, (labels + 1) % len(SHARES)).astype(np.int8),
            )
        )
    perturbed = tuple(
        Condition(perturbation=f"p{index // 5}", severity=index % 5 + 1) for index in range(conditions - 1)
    )
    return Outcomes(
        classes=tuple("abcdefg"), methods=names, conditions=(CLEAN_CONDITION, *perturbed), folds=tuple(made)
    )


def pairwise_intervals(scores: Scores) -> np.ndarray:
    """Limits of every pairwise difference under every condition, of both metrics."""
    limits = []
    for replicates in scores.replicates.values():
        for one, other in combinations(range(replicates.shape[1]), 2):
            limits.append(np.quantile(replicates[:, one] - replicates[:, other], [0.025, 0.975], axis=0))
    return np.array(limits)


def scipy_seconds(outcomes: Outcomes, replicates: int) -> float:
    """The time of scipy's paired bootstrap of one difference of UAR in one condition, scaled from 200 replicates."""
    labels = np.concatenate([fold.labels for fold in outcomes.folds])
    first, second = (np.concatenate([fold.correct[index, 0, 0] for fold in outcomes.folds]) for index in (0, 1))

    def difference(clips: np.ndarray, axis: int = -1) -> np.ndarray:
        recalls = []
        for label in range(len(SHARES)):
            own = labels[clips] == label
            gap = (first[clips].astype(float) - second[clips]) * own
            recalls.append(gap.sum(axis=axis) / own.sum(axis=axis))
        return np.mean(recalls, axis=0)

    started = time.perf_counter()
    stats.bootstrap(
        (np.arange(len(labels)),),
        difference,
        n_resamples=200,
        batch=50,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return (time.perf_counter() - started) * replicates / 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--methods", type=int, default=12)
    parser.add_argument("--conditions", type=int, default=73)
    parser.add_argument("--clips", type=int, default=12_000)
    chosen = parser.parse_args()
    outcomes = outcomes_of(chosen.methods, chosen.conditions, chosen.clips)
    started = time.perf_counter()
    scores = bootstrap(outcomes, Resampling(replicates=chosen.replicates))
    resampled = time.perf_counter()
    limits = pairwise_intervals(scores)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert np.isfinite(limits).all()
    one = scipy_seconds(outcomes, chosen.replicates)
    cells = 2 * chosen.conditions * chosen.methods * (chosen.methods - 1) // 2
    size = f"{chosen.methods} methods, {chosen.conditions} conditions, {chosen.clips} clips"
    print(f"{chosen.replicates} replicates, {size}")
    print("\n| what | seconds |\n| :-- | --: |")
    print(f"| replicates of WAR and UAR | {resampled - started:.1f} |")
    print(f"| intervals of {cells} pairwise differences | {ended - resampled:.1f} |")
    print(f"| both | {ended - started:.1f} |")
    print(f"| scipy.stats.bootstrap, one difference of UAR | {one:.1f} |")
    print(f"| scipy.stats.bootstrap, all {cells} differences, one by one | {one * cells:.0f} |")
    print(f"\nPeak memory of this process before scipy ran: {peak:.0f} MB.")


if __name__ == "__main__":
    main()
