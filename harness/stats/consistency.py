"""Whether a network keeps its word when a clip is perturbed, clip by clip."""

import numpy as np
from jaxtyping import Bool, Float

from harness.spec.trial import CLEAN_CONDITION
from harness.stats.bootstrap import Resampling, Scores, bootstrap
from harness.stats.outcomes import FoldOutcomes, Outcomes
from harness.stats.robustness import ratio


def flips(outcomes: Outcomes, resampling: Resampling) -> Scores:
    """Flip rate: the share of clips for which another class is named than for the clean clip, right or wrong.

    The ``uar`` form averages the rates of the true classes, so that frequent ones do not dominate. After the flip
    probability of Hendrycks & Dietterich (ICLR 2019, section 4.3) with the clean clip as the reference frame.
    """
    clean = outcomes.clean

    def flipped(fold: FoldOutcomes) -> Bool[np.ndarray, "r c q n"]:
        return np.asarray(fold.predicted != fold.predicted[:, [clean]])

    return bootstrap(outcomes, resampling, flipped)


def resisted(outcomes: Outcomes, resampling: Resampling) -> Scores:
    """Resist rate: of the clips named rightly when clean, the share still named rightly.

    The ``uar`` form divides mean recalls. Not a number where no clean clip is named rightly. Under order-destroying
    conditions one minus the resist rate is the temporal sensitivity: near 0 for a method that only averages frames.
    """
    clean = outcomes.conditions.index(CLEAN_CONDITION)

    def both(fold: FoldOutcomes) -> Bool[np.ndarray, "r c q n"]:
        return np.asarray(fold.correct & fold.correct[:, [clean]])

    kept = bootstrap(outcomes, resampling, both)
    return Scores(
        values={metric: _over_clean(values, clean) for metric, values in kept.values.items()},
        replicates={metric: _over_clean(values, clean) for metric, values in kept.replicates.items()},
        covers=kept.covers,
    )


def _over_clean(values: Float[np.ndarray, "*lead m c"], clean: int) -> Float[np.ndarray, "*lead m c"]:
    return ratio(values, values[..., [clean]])
