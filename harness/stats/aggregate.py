"""From scores by condition to one number per scope: clean, perturbed, order-destroyed, a family, a condition.

Every function takes scores whose last axis is the condition, so that it serves observed values and replicates alike.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.suite import Suite

CLEAN_SCOPE = "clean"
PERTURBED_SCOPE = "perturbed"
ORDER_SCOPE = "order"
FAMILY = "family"
"""Begins the name of a family's scope."""


def family_means(
    scores: Float[np.ndarray, "*lead c"],
    conditions: Sequence[Condition],
    families: dict[str, tuple[Condition, ...]],
) -> dict[str, Float[np.ndarray, "*lead"]]:
    """The mean over the conditions of each family."""
    where = {condition: index for index, condition in enumerate(conditions)}
    return {
        family: np.asarray(scores[..., [where[condition] for condition in own]].mean(axis=-1))
        for family, own in families.items()
    }


def mean_over_families(means: dict[str, Float[np.ndarray, "*lead"]]) -> Float[np.ndarray, "*lead"]:
    """The mean of the families' means, so that a family of many conditions does not outvote one of few."""
    return np.asarray(np.mean(list(means.values()), axis=0))


def scopes(
    scores: Float[np.ndarray, "*lead c"], conditions: Sequence[Condition], suite: Suite
) -> dict[str, Float[np.ndarray, "*lead"]]:
    """Every scope that the suite supports, by name.

    ``clean``; ``perturbed``: label-preserving conditions, families averaged first; ``order``: order-destroying
    conditions likewise, kept apart; ``family:NAME``; and every condition by its label.
    """
    suite = suite.restricted_to(tuple(conditions))
    found = {CLEAN_SCOPE: scores[..., conditions.index(CLEAN_CONDITION)]}
    for scope, preserving in ((PERTURBED_SCOPE, "yes"), (ORDER_SCOPE, "order")):
        means = family_means(scores, conditions, suite.families(preserving))
        if means:
            found[scope] = mean_over_families(means)
            found |= {f"{FAMILY}:{family}": values for family, values in means.items()}
    found |= {
        condition.label: scores[..., index]
        for index, condition in enumerate(conditions)
        if condition != CLEAN_CONDITION
    }
    return found
