"""What a comparison is asked."""

from dataclasses import dataclass

from harness.stats.aggregate import CLEAN_SCOPE, FAMILY
from harness.tables.selections import RANKED

ROPE = {"war": 0.01, "uar": 0.015}
"""Differences of no practical interest, as fractions: about the spread between reruns of a published method on DFEW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is compared.

    Attributes:
        baseline: compare every other method with this one; all pairs if None.
        metric: ``uar`` or ``war``.
        scope: ``clean``, ``perturbed``, ``order``, ``family:NAME`` or a condition such as ``fog-3``; followed by
            ``:last`` or ``:best_on_test`` it judges another epoch than the one that validation clips chose.
        rope: half-width of the region of practical equivalence, a fraction; None for the metric's default.
        replicates: bootstrap replicates.
        by_group: resample groups (identities, films) instead of clips.
    """

    baseline: str | None = None
    metric: str = "uar"
    scope: str = CLEAN_SCOPE
    rope: float | None = None
    replicates: int = 10_000
    by_group: bool = False

    @property
    def selection(self) -> str:
        """Which epoch is judged."""
        scope, _, rule = self.scope.rpartition(":")
        return rule if scope not in {"", FAMILY} else RANKED

    @property
    def tested(self) -> str:
        """The scope without the selection's name."""
        scope, _, _ = self.scope.rpartition(":")
        return scope if scope not in {"", FAMILY} else self.scope

    @property
    def half_width(self) -> float:
        """The region of practical equivalence in use."""
        return ROPE[self.metric] if self.rope is None else self.rope
