"""Generators of a test's own."""

import numpy as np


def generator(seed: int = 0) -> np.random.Generator:
    """One that draws the same in every run."""
    return np.random.Generator(np.random.PCG64(seed))
