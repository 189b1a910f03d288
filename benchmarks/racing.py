"""What racing over folds saves, and what it costs: share of folds trained and mean regret, by rule and folds.

    python benchmarks/racing.py [--searches 2000]

A search tries 40 configurations on 8 imagined workers. A configuration's score on a fold is its quality (standard
deviation 0.05) plus the fold's difficulty (0.03) plus noise (0.015). Regret is the best quality tried minus that of the
chosen configuration. ``unpaired`` compares a configuration's mean with the incumbent's over different folds; it is here
to show why the harness does not.
"""

import argparse
from collections import deque
from statistics import fmean

import numpy as np

from harness.schedule.search.racing import loses
from harness.schedule.search.virtual_workers import VirtualWorkers
from harness.spec.search import RacingSpec

CONFIGURATIONS, PARALLEL = 40, 8
QUALITY, DIFFICULTY, NOISE = 0.05, 0.03, 0.015
RULES = ("none", "paired", "wilcoxon", "unpaired")


def search(scores: np.ndarray, rule: str, generator: np.random.Generator) -> tuple[int, int]:
    """Race through one search; the chosen configuration and the number of folds trained.

    Args:
        scores: configurations x folds.
        rule: one of ``RULES``.
        generator: shuffles folds.
    """
    count, folds = scores.shape
    complete, trained = {0: dict(enumerate(scores[0]))}, folds
    seen: dict[int, dict[int, float]] = {}
    orders = {number: generator.permutation(folds) for number in range(1, count)}
    workers, numbers = VirtualWorkers[int](count=PARALLEL), deque(orders)
    while numbers or workers.first is not None:
        while workers.free and numbers:
            workers.start(numbers.popleft(), 1.0)
        number = workers.end_first()
        so_far = seen.setdefault(number, {})
        fold = int(orders[number][len(so_far)])
        so_far[fold] = float(scores[number, fold])
        trained += 1
        incumbent = max(complete.values(), key=lambda one: fmean(one.values()))
        if len(so_far) == folds:
            complete[number] = so_far
        elif not given_up(so_far, incumbent, rule):
            workers.start(number, 1.0)
    return max(complete, key=lambda number: fmean(complete[number].values())), trained


def given_up(seen: dict[int, float], incumbent: dict[int, float], rule: str) -> bool:
    """Whether a rule gives a configuration up."""
    if rule == "unpaired":
        return fmean(seen.values()) < fmean(incumbent.values())
    return bool(loses(seen, incumbent, rule, RacingSpec()))


def main() -> None:
    """Print a row per rule."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=2000)
    searches = parser.parse_args().searches
    print("| rule | " + " | ".join(f"{folds} folds" for folds in (3, 5, 10)) + " |\n|:--|--:|--:|--:|")
    for rule in RULES:
        cells = []
        for folds in (3, 5, 10):
            generator = np.random.default_rng(folds)
            shares, regrets = [], []
            for _ in range(searches):
                quality = generator.normal(0.6, QUALITY, CONFIGURATIONS)
                difficulty = generator.normal(0, DIFFICULTY, folds)
                scores = quality[:, None] + difficulty + generator.normal(0, NOISE, (CONFIGURATIONS, folds))
                chosen, trained = search(scores, rule, generator)
                shares.append(trained / scores.size)
                regrets.append(quality.max() - quality[chosen])
            cells.append(f"{fmean(shares):.0%} / {fmean(regrets):.4f}")
        print(f"| {rule} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
