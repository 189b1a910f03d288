"""Configurations spread evenly over a search space, by number: the points of a scrambled Sobol sequence."""

from __future__ import annotations

import warnings
from typing import Any

from scipy.stats.qmc import Sobol

from harness.spec.method import MethodSpec
from harness.spec.space import is_active, ordered


def sobol(method: MethodSpec, index: int, seed: int) -> dict[str, Any]:
    """The values of the ``index``-th point; every searched path has a dimension, used or not.

    Sobol, USSR Comp. Math. 1967, with Owen's scrambling; at index 2^n - 1 the points so far are balanced.
    """
    sequence = Sobol(len(method.search), scramble=True, rng=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it wants to be asked for powers of two
        shares = sequence.random(index + 1)[index]
    by_path = dict(zip(method.search, shares.tolist(), strict=True))
    values: dict[str, Any] = {}
    for path in ordered(method.search):
        if is_active(method.recipe, method.search, path, values):
            values[path] = method.search[path].at(by_path[path])
    return {path: values[path] for path in method.search if path in values}
