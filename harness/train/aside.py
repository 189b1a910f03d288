"""What is damaged is put aside, never deleted: a hidden folder beside the trial's, which says why."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from harness.paths import UnitPaths
from harness.tables import store
from harness.tables.temporary import remove

logger = logging.getLogger("dferbench")


def put_aside(paths: UnitPaths, reason: str, file: Path | None = None) -> None:
    """Move a trial's folder, or one file of it, where nothing reads it, and say so.

    The time is for people and in the name alone; another process may have moved it already.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    target = paths.quarantine(stamp)
    try:
        if file is None:
            paths.folder.rename(target)
        else:
            target.mkdir()
            file.rename(target / file.name)
    except FileNotFoundError:
        remove(target)
        return
    store.write_text(json.dumps({"reason": reason}), target / "quarantine.json")
    logger.warning("%s: %s; put aside as %s, and made again.", paths.folder.name, reason, target.name)
