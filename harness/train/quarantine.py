"""Damaged files of a trial: found when they are looked at, put aside under a name that says so, and made again.

What a training left is listed in its record with sizes and SHA-256: small files are compared whole on every look, large
ones by size, and a checkpoint whole before it is used. Files that evaluations added later must begin and end as parquet
does. A damaged training is put aside as a whole; a damaged evaluation alone, because the checkpoint gives it again.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.paths import UnitPaths
from harness.tables import store
from harness.train.record import read_record, sha256

SMALL_BYTES = 1_000_000
"""Files up to this size are compared whole on every look; a validation split's predictions are smaller."""
MAGIC = b"PAR1"
"""How a parquet file begins and ends (Apache Parquet format, file layout)."""

logger = logging.getLogger("dferbench")


def is_sound(paths: UnitPaths) -> bool:
    """Whether there is a finished result whose files are as they were published; a damaged one is put aside."""
    if not paths.folder.exists():
        return False
    reason = damage(paths)
    if reason:
        put_aside(paths, reason)
        return False
    for path in paths.folder.glob("*.parquet"):
        if not _is_parquet(path):
            put_aside(paths, f"{path.name} is damaged", path)
    return True


def damage(paths: UnitPaths, *, thorough: bool = False) -> str:
    """What is wrong with the files that a training left; empty if nothing is.

    Args:
        paths: a published folder.
        thorough: compare large files whole, too.
    """
    try:
        record = read_record(paths)
        files: dict[str, dict[str, Any]] = record.get("files", {})
        if "status" not in record:
            return f"{paths.record.name} is not a record"
    except FileNotFoundError:
        return f"{paths.record.name} is missing"
    except (ValueError, AttributeError):
        return f"{paths.record.name} is damaged"
    changed = (_change(paths.folder / name, expected, thorough) for name, expected in files.items())
    return next((reason for reason in changed if reason), "")


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
        return
    store.write_text(json.dumps({"reason": reason}), target / "quarantine.json")
    logger.warning("%s: %s; put aside as %s, and made again.", paths.folder.name, reason, target.name)


def _change(path: Path, expected: dict[str, Any], thorough: bool) -> str:
    """How a file differs from what was published."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return f"{path.name} is missing"
    if size != expected["bytes"]:
        return f"{path.name} has {size} bytes instead of {expected['bytes']}"
    if (thorough or size <= SMALL_BYTES) and sha256(path) != expected["sha256"]:
        return f"{path.name} is not what was published"
    return ""


def _is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as parquet does, with a footer that fits into it."""
    with path.open("rb") as file:
        begin = file.read(4)
        size = file.seek(0, 2)
        if size < 12:
            return False
        file.seek(-8, 2)
        end = file.read(8)
    return begin == end[4:] == MAGIC and int.from_bytes(end[:4], "little") <= size - 12
