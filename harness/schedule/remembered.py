"""Scores of search trials that were computed before, so that taking up a large study need not compute them again.

A score is remembered together with the digest of the file that it was computed from, as the trial's record states it,
so it is that of the stored logits or it is not used. The file is only appended to, by the driver; deleting it loses
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.paths import UnitPaths
from harness.plan import Unit
from harness.schedule.operate.wanted import read_json
from harness.tables import json_lines

Compute = Callable[[Unit], float | None]
Find = Callable[[Unit], UnitPaths]


class RememberedScores:
    """Computes a score once; later runs of the study read it.

    Attributes:
        file: where scores are remembered.
        compute: a unit's score from storage; ``None`` if it has none.
        find: where a unit's training lies, if it was not halted.
        metric: what is computed.
    """

    def __init__(self, file: Path, compute: Compute, find: Find, metric: str) -> None:
        self.file, self.compute, self.find, self.metric = file, compute, find, metric
        self._known: dict[str, float] = dict(json_lines.read(file))

    def __call__(self, unit: Unit) -> float | None:
        """The score of a unit; those of halted trainings change and are computed every time."""
        name = "" if unit.stop_after is not None else self._name(unit)
        if name in self._known:
            return self._known[name]
        score = self.compute(unit)
        if name and score is not None:
            self._known[name] = score
            json_lines.append([[name, score]], self.file)
        return score

    def _name(self, unit: Unit) -> str:
        """The metric and the digests of the predictions that it is computed from; empty if they are not known."""
        paths = self.find(unit)
        files: dict[str, Any] = read_json(paths.record).get("files", {})
        digest = files.get(paths.predictions("val").name, {}).get("sha256", "")
        return f"{self.metric}:{digest}" if digest else ""
