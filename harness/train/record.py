"""A trial's record and files: written under a hidden name, listed with their digests, published by one rename."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.paths import UnitPaths
from harness.tables import store
from harness.tables.content import sha256
from harness.tables.temporary import hidden_name, remove
from harness.train.aside import put_aside

OWN_DIGEST = "sha256"


def read_record(paths: UnitPaths) -> dict[str, Any]:
    """What a finished training reported."""
    record: dict[str, Any] = json.loads(paths.record.read_text(encoding="utf-8"))
    return record


def own_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of what a record says, which it says itself, so that damage to it is seen."""
    said = {name: value for name, value in record.items() if name != OWN_DIGEST}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def signed(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it is stored: what it says, and the digest of that."""
    said: dict[str, Any] = json.loads(json.dumps(record))
    return {**said, OWN_DIGEST: own_digest(said)}


def hidden_folder(paths: UnitPaths) -> UnitPaths:
    """A folder of this process's own beside the final one; its name says whose it is."""
    folder = paths.folder.with_name(hidden_name(paths.folder.name))
    folder.mkdir(parents=True)
    return UnitPaths(folder)


def write_checkpoint(weights: dict[str, Tensor], path: Path) -> None:
    """Store weights, flushed to the disk."""
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    store.write_bytes(buffer.getvalue(), path)


def publish(hidden: UnitPaths, paths: UnitPaths, record: dict[str, Any]) -> None:
    """List the files in the record, and rename the folder into place.

    If another worker was first, its equal result stays and ours is dropped. A folder without a record, which an
    evaluation of a training that was put aside meanwhile leaves, makes way.
    """
    files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in _files(hidden.folder)}
    store.write_text(json.dumps(signed({**record, "files": files}), indent=1), hidden.record)
    if paths.folder.exists() and not paths.record.exists():
        put_aside(paths, "it holds evaluations of a training that is not there")
    try:
        hidden.folder.rename(paths.folder)
    except OSError:
        if not paths.record.exists():
            raise
        shutil.rmtree(hidden.folder)
    _flush(paths.folder.parent)


def forget_unfinished(paths: UnitPaths) -> None:
    """Delete what only an unfinished training needs: its stored state, its halts, its failures."""
    paths.resume.unlink(missing_ok=True)
    paths.failure.unlink(missing_ok=True)
    remove(paths.halts)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _flush(folder: Path) -> None:
    """Have the disk know of a rename."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
