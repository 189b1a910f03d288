"""Why a trial has no result, kept beside its folder: a worker's own log is lost with the worker."""

from __future__ import annotations

import json
import socket
import traceback
from datetime import UTC, datetime
from typing import Any

from harness.paths import UnitPaths
from harness.tables import store


def read_failure(paths: UnitPaths) -> dict[str, Any]:
    """What the last attempt ended with; empty if none failed, or the file cannot be read."""
    try:
        found = json.loads(paths.failure.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_failure(paths: UnitPaths, error: Exception) -> None:
    """Note an attempt that failed; where not even that can be written, the error itself must do."""
    content = {
        "trial_id": paths.folder.name,
        "error": str(error) or type(error).__name__,
        "traceback": "".join(traceback.format_exception(error)),
        "host": socket.gethostname(),
        "attempts": int(read_failure(paths).get("attempts", 0)) + 1,
        "created_at": datetime.now(UTC).isoformat(),
    }
    try:
        store.write_text(json.dumps(content, indent=1), paths.failure)
    except OSError as problem:
        error.add_note(f"(this could not be written to {paths.failure}: {problem})")
