"""Damaged files of a trial: found when they are looked at, put aside under a name that says so, and made again.

What a training left is listed in its record with sizes and SHA-256, and the record says its own: small files are
compared whole on every look, large ones by size, and a checkpoint whole before it is used. Files that evaluations added
later must begin and end as parquet does; their pages have checksums, which are looked at when they are read. A damaged
training is put aside as a whole; a damaged evaluation alone, because the checkpoint gives it again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from harness.paths import UnitPaths
from harness.tables import store
from harness.tables.content import sha256
from harness.train.aside import put_aside
from harness.train.record import OWN_DIGEST, own_digest, read_record

SMALL_BYTES = 1_000_000
"""Files up to this size are compared whole on every look; a validation split's predictions are smaller."""
MAGIC = b"PAR1"
"""How a parquet file begins and ends (Apache Parquet format, file layout)."""


def is_sound(paths: UnitPaths) -> bool:
    """Whether there is a finished result whose files are as they were published; a damaged one is put aside.

    What another process moves away meanwhile is not there any more.
    """
    try:
        return _is_sound(paths)
    except FileNotFoundError:
        return False


def _is_sound(paths: UnitPaths) -> bool:
    sizes = _sizes(paths)
    listed, reason = _listed(paths)
    reason = reason or _first_change(paths, listed, sizes, thorough=False)
    if reason:
        put_aside(paths, reason)
        return False
    for name in sizes:
        if name.endswith(".parquet") and name not in listed and not _is_parquet(paths.folder / name):
            _put_evaluation_aside(paths, paths.folder / name, "it does not begin and end as parquet does")
    return True


def mend(paths: UnitPaths) -> None:
    """Read a trial's tables whole and put aside what is damaged, to be made again."""
    if not is_sound(paths):
        return
    listed, _ = _listed(paths)
    for path in sorted(paths.folder.glob("*.parquet")):
        try:
            flaw = store.flaw(path)
        except FileNotFoundError:
            continue
        if flaw and path.name in listed:
            put_aside(paths, f"{path.name} is damaged: {flaw}")
            return
        if flaw:
            _put_evaluation_aside(paths, path, flaw)


def _put_evaluation_aside(paths: UnitPaths, file: Path, flaw: str) -> None:
    """Move a damaged evaluation away; fingerprints with the predictions that are made beside them."""
    put_aside(paths, f"{file.name} is damaged: {flaw}", file)
    beside = file.with_name(file.name.replace("fingerprints-", "predictions-test-", 1))
    if beside != file and beside.exists():
        put_aside(paths, f"{beside.name} lacks its fingerprints", beside)


def damage(paths: UnitPaths, *, thorough: bool = False) -> str:
    """What is wrong with the files that a training left; empty if nothing is.

    Args:
        paths: a published folder.
        thorough: compare large files whole, too.
    """
    listed, reason = _listed(paths)
    return reason or _first_change(paths, listed, _sizes(paths), thorough=thorough)


def _sizes(paths: UnitPaths) -> dict[str, int]:
    """Bytes of every file in a unit's folder: one look at the folder instead of one at each file."""
    with os.scandir(paths.folder) as entries:
        return {entry.name: entry.stat().st_size for entry in entries}


def _listed(paths: UnitPaths) -> tuple[dict[str, dict[str, Any]], str]:
    """The files that a record lists with their sizes and digests, or what is wrong with the record."""
    try:
        record = read_record(paths)
        files: dict[str, dict[str, Any]] = record.get("files", {})
        if record.get(OWN_DIGEST) not in (None, own_digest(record)):
            return files, f"{paths.record.name} is not what was published"
        return files, "" if "status" in record else f"{paths.record.name} is not a record"
    except FileNotFoundError:
        return {}, f"{paths.record.name} is missing"
    except (ValueError, AttributeError):
        return {}, f"{paths.record.name} is damaged"


def _first_change(paths: UnitPaths, listed: dict[str, dict[str, Any]], sizes: dict[str, int], *, thorough: bool) -> str:
    """How the first changed file differs from what was published; a checkpoint may lie elsewhere until it is used."""
    for name, expected in listed.items():
        if paths.is_weights(name) and paths.elsewhere.name in sizes and not thorough:
            continue
        if name not in sizes:
            return f"{name} is missing"
        if sizes[name] != expected["bytes"]:
            return f"{name} has {sizes[name]} bytes instead of {expected['bytes']}"
        if (thorough or sizes[name] <= SMALL_BYTES) and sha256(paths.folder / name) != expected["sha256"]:
            return f"{name} is not what was published"
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
