"""The trials that a study asks for, and what storage says of each, read without torch or the study's plugins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths
from harness.tables import json_lines
from harness.tables.schema import TRIALS
from harness.tables.store import read


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A trial and why a study asks for it; a training wanted twice, for search and confirmation, is two of them."""

    method: str
    phase: str
    configuration: int
    fold: int
    seed: int
    epochs: int
    trial_id: str

    @property
    def key(self) -> str:
        """As the driver calls it."""
        return f"{self.phase}:{self.method}:{self.configuration}:{self.trial_id}"

    @property
    def label(self) -> str:
        """For people."""
        configuration = f" #{self.configuration}" if self.phase == "search" else ""
        return f"{self.method}{configuration} fold {self.fold} seed {self.seed}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What storage holds of a trial.

    Attributes:
        state: ``done``, ``diverged``, ``failed``, ``untested`` (trained, its test clips not yet seen) or ``missing``.
        record: what its training reported, and what its failure said; empty if missing.
    """

    state: str
    record: dict[str, Any]

    @property
    def trained(self) -> bool:
        """Whether its training has ended, also if its test has failed."""
        return self.state in {"done", "untested", "diverged"} or "status" in self.record


def wanted_by(run: RunPaths) -> list[Wanted]:
    """The trials that a study has asked for so far, also while it is being run.

    Raises:
        HarnessError: if it was never started in this folder.
    """
    if run.wanted.exists():
        return list({one.key: one for one in _lines(run.wanted)}.values())
    if run.table("trials").exists():
        columns = ["method", "phase", "configuration", "fold", "seed", "trial_id"]
        rows = read(run.table("trials"), TRIALS, columns).to_dict("records")
        return [Wanted(**{str(name): value for name, value in row.items()}, epochs=0) for row in rows]
    raise HarnessError(
        f"Study '{run.study}' was not started in {run.root}. Start it with dferbench run, or give --out."
    )


def _lines(file: Path) -> Iterator[Wanted]:
    for content in json_lines.read(file):
        yield Wanted(**{name: content[name] for name in Wanted.__dataclass_fields__})


def look(paths: UnitPaths, phase: str) -> Found:
    """What storage holds of a trial that is wanted for a phase."""
    record, failure = read_json(paths.record), read_json(paths.failure)
    if not record:
        return Found(state="failed", record=failure) if failure else Found(state="missing", record={})
    state = str(record.get("status", "missing"))
    if state == "done" and phase == "confirm" and not next(paths.folder.glob("predictions-test-*.parquet"), None):
        return (
            Found(state="failed", record={**record, **failure}) if failure else Found(state="untested", record=record)
        )
    return Found(state=state, record=record)


def read_json(file: Path) -> dict[str, Any]:
    """A small file's content; empty if it is missing or not whole."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
