"""What an entry's manifest says of its method; a study's own folder has none."""

import json
from typing import Any

from harness.paths import RunPaths
from harness.report.study_results import StudyResults

MANIFEST = "manifest.json"

DECLARED = "training_augmentations"
"""Names of everything done to training clips."""

SELECTION = "selection"
"""Which clips chose the epoch: ``validation``, ``last`` (none) or ``test``."""

HONEST = ("validation", "last")
"""Rules of selection that look at no test clip."""


def entry_manifest(run: RunPaths) -> dict[str, Any]:
    """The manifest of an entry; empty for the folder of a study, whose trials lie beside others'."""
    path = run.root / MANIFEST
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def said_of(results: StudyResults, method: str, key: str, default: Any) -> Any:
    """What is declared of a method: on a merged board by its part, in an entry by the manifest, else the default."""
    merged = ((results.study.get("methods") or {}).get(method) or {}).get(key)
    return entry_manifest(results.run).get(key, default) if merged is None else merged
