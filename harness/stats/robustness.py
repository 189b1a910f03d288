"""What perturbation costs, in the measures of the literature and some that weak methods cannot game.

Scores lead with anything (replicates), then methods, then conditions; every measure drops the last axis. Conditions of
a perturbation are averaged first, perturbations of a family next, families last, unless a measure says otherwise.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.aggregate import family_means, mean_over_families
from harness.stats.multiplicity import ROUNDING
from harness.stats.suite import Suite

WORST_SHARE = 0.1
"""CVaR averages this share of the conditions, the worst (Rockafellar & Uryasev, Journal of Risk 2000)."""


def ratio(above: Float[np.ndarray, "*#shape"], below: Float[np.ndarray, "*#shape"]) -> Float[np.ndarray, "*shape"]:
    """One over the other; not a number where the denominator is not above zero, as a share of nothing means nothing."""
    above, below = np.broadcast_arrays(above, below)
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > ROUNDING))


class Robustness:
    """Measures of scores under the label-preserving conditions of a suite."""

    def __init__(self, scores: Float[np.ndarray, "*lead m c"], conditions: Sequence[Condition], suite: Suite) -> None:
        """Pick the clean and the label-preserving conditions.

        Raises:
            ValueError: if the suite has no label-preserving condition.
        """
        self._scores, self._conditions = scores, list(conditions)
        preserving = suite.restricted_to(tuple(conditions)).families()
        if not preserving:
            raise ValueError("the suite has no label-preserving condition")
        self._families = preserving
        self.clean = scores[..., self._conditions.index(CLEAN_CONDITION)]
        self._flat = [condition for own in preserving.values() for condition in own]

    def mean(self) -> Float[np.ndarray, "*lead m"]:
        """Mean performance under corruption, families first (mPC of Michaelis et al. 2019 averages conditions)."""
        return mean_over_families(family_means(self._scores, self._conditions, self._families))

    def relative(self) -> Float[np.ndarray, "*lead m"]:
        """The mean over the clean score (rPC, Michaelis et al. 2019, equation 2; gamma_r, Schiappa et al. 2023)."""
        return ratio(self.mean(), self.clean)

    def absolute(self) -> Float[np.ndarray, "*lead m"]:
        """One minus the points lost (gamma_a, Schiappa et al., CVPR 2023, section 3.3)."""
        return np.asarray(1 - (self.clean - self.mean()))

    def retention(self, chance: float) -> Float[np.ndarray, "*lead m"]:
        """What is left of the score above chance: 0 for a method that perturbation reduces to guessing.

        Not a number where the clean score is at or below chance: there is nothing to retain.
        """
        return ratio(self.mean() - chance, self.clean - chance)

    def worst_family(self) -> Float[np.ndarray, "*lead m"]:
        """The lowest of the families' means."""
        means = family_means(self._scores, self._conditions, self._families)
        return np.asarray(np.min(list(means.values()), axis=0))

    def worst_condition(self) -> Float[np.ndarray, "*lead m"]:
        """The lowest score of any condition."""
        return np.asarray(self._perturbed().min(axis=-1))

    def worst_tail(self, share: float = WORST_SHARE) -> Float[np.ndarray, "*lead m"]:
        """The mean of the worst conditions, ``share`` of all and at least one (CVaR)."""
        count = max(1, round(share * len(self._flat)))
        return np.asarray(np.sort(self._perturbed(), axis=-1)[..., :count].mean(axis=-1))

    def area_under_severity(self) -> Float[np.ndarray, "*lead m"]:
        """The area under score over severity from 0 (clean) to the largest, per unit of severity, families first."""
        means = []
        for own in self._families.values():
            areas = [self._area(name, own) for name in sorted({condition.perturbation for condition in own})]
            means.append(np.mean(areas, axis=0))
        return np.asarray(np.mean(means, axis=0))

    def corruption_error(self, reference: int) -> Float[np.ndarray, "*lead m"]:
        """Mean corruption error against a reference method: its own is 1 and less is better.

        Per perturbation, summed error over summed error of the reference, then the mean over perturbations
        (Hendrycks & Dietterich, ICLR 2019, section 4.2). Not a number where the reference makes no error under one.
        """
        return self._errors(1 - self._scores, reference)

    def relative_corruption_error(self, reference: int) -> Float[np.ndarray, "*lead m"]:
        """As ``corruption_error`` for the error added to that on clean clips (Hendrycks & Dietterich 2019).

        Not a number where some perturbation adds no error to the reference's.
        """
        return self._errors(self.clean[..., None] - self._scores, reference)

    def _errors(self, errors: Float[np.ndarray, "*lead m c"], reference: int) -> Float[np.ndarray, "*lead m"]:
        ratios = []
        for name in sorted({condition.perturbation for condition in self._flat}):
            columns = [self._conditions.index(one) for one in self._flat if one.perturbation == name]
            total = errors[..., columns].sum(axis=-1)
            ratios.append(ratio(total, total[..., [reference]]))
        return np.asarray(np.mean(ratios, axis=0))

    def _perturbed(self) -> Float[np.ndarray, "*lead m p"]:
        return self._scores[..., [self._conditions.index(condition) for condition in self._flat]]

    def _area(self, name: str, own: Sequence[Condition]) -> Float[np.ndarray, "*lead m"]:
        ordered = sorted((one for one in own if one.perturbation == name), key=lambda one: one.severity)
        columns = [self._conditions.index(one) for one in (CLEAN_CONDITION, *ordered)]
        severities = np.array([0.0, *(one.severity for one in ordered)])
        return np.asarray(np.trapezoid(self._scores[..., columns], severities, axis=-1) / severities[-1])
