"""The seven expressions as combinations of action units.

Which units make an expression: Friesen and Ekman, "EMFACS-7" (1983), and Ekman, Friesen and Hager, "FACS
Investigator's Guide" (2002), table of emotion predictions: happiness 6+12, sadness 1+4+15, surprise 1+2+5B+26,
fear 1+2+4+5+7+20+26, anger 4+5+7+23, disgust 9+15+16, with the variants 17 (sadness, disgust, anger), 10 (disgust)
and 24 (anger). That people differ in the units they use, and roughly how often the variants occur: Du, Tao and
Martinez, "Compound facial expressions of emotion" (PNAS 2014), table 1.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from harness.datasets._faces.action_units import UNITS

CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
"""In DFEW's label order; label 1 is the first."""

DFEW_COUNTS = (2445, 1894, 2669, 2173, 1469, 145, 902)
"""Single-labelled clips per class in DFEW's five folds, counted from its lists."""


class Recipe(NamedTuple):
    """An expression's units with their usual strength, and variants with how often they join."""

    core: dict[int, float]
    variants: dict[int, float]


RECIPES: dict[str, Recipe] = {
    "Happy": Recipe({6: 0.9, 12: 1.0}, {25: 0.65}),
    "Sad": Recipe({1: 0.9, 4: 0.55, 15: 1.0}, {17: 0.65}),
    "Neutral": Recipe({}, {}),
    "Angry": Recipe({4: 1.0, 5: 0.6, 7: 0.8, 23: 0.9}, {24: 0.5, 17: 0.5}),
    "Surprise": Recipe({1: 1.0, 2: 1.0, 5: 0.4, 26: 1.0}, {25: 0.5}),
    "Disgust": Recipe({9: 1.0, 15: 0.7, 16: 0.8}, {10: 0.7, 4: 0.3, 17: 0.3}),
    "Fear": Recipe({1: 0.9, 2: 0.5, 4: 0.7, 5: 1.0, 7: 0.5, 20: 1.0, 26: 0.45}, {25: 0.6}),
}
"""Strengths are shares of the unit's maximum; 5B is 2 of FACS's 5 steps."""

OMISSION = 0.12
"""How often a person leaves out one of an expression's core units; never more than one in three."""


def usual_strengths(expression: str) -> Float[np.ndarray, " a"]:
    """The core units of an expression at their usual strengths, in the order of ``UNITS``."""
    return np.array([RECIPES[expression].core.get(unit, 0.0) for unit in UNITS], dtype=np.float32)


def draw_strengths(
    expression: str, habits: Float[np.ndarray, " a"], generator: np.random.Generator
) -> Float[np.ndarray, " a"]:
    """The strengths with which one person shows an expression this time, in the order of ``UNITS``.

    Args:
        expression: a class name.
        habits: how strongly this person uses each unit, 1 being usual.
        generator: decides on omissions, variants and the strengths of this showing.
    """
    recipe = RECIPES[expression]
    omitted = [unit for unit in recipe.core if generator.random() < OMISSION][: len(recipe.core) // 3]
    joined = [unit for unit, share in recipe.variants.items() if generator.random() < share]
    strengths = np.zeros(len(UNITS), dtype=np.float32)
    for unit, strength in {**recipe.core, **dict.fromkeys(joined, 0.8)}.items():
        if unit not in omitted:
            strengths[UNITS.index(unit)] = strength * generator.uniform(0.8, 1.1)
    shown: Float[np.ndarray, " a"] = np.clip(strengths * habits, 0, 1)
    return shown
