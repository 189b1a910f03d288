"""A unit on a machine of a study that is mirrored: fetch what it needs, run it, send what it gave."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from harness.schedule.cluster.mirror import Mirror
from harness.train.unit import OnEvent, Task, execute

SEND_STATE_SECONDS = 600.0
"""Between two sendings of an unfinished training's state; so much is lost at most with a machine."""


class Storage(NamedTuple):
    """Where a unit's results are mirrored, and whether its machine has to fetch its inputs from there.

    Attributes:
        uri: the mirror; empty for none.
        manifest_hash: SHA-256 of the data manifest, if machines do not share the driver's folders.
    """

    uri: str = ""
    manifest_hash: str = ""


def execute_mirrored(task: Task, storage: Storage, on_event: OnEvent) -> dict[str, Any]:
    """Like ``execute``, with results on the mirror when it returns.

    Raises:
        HarnessError: as ``execute`` does, or if the mirror cannot be reached.
    """
    if not storage.uri:
        return execute(task, on_event)
    mirror = Mirror.of_units(storage.uri, task.units)
    if storage.manifest_hash:
        bring_inputs(task, storage, mirror)
    mirror.bring_unit(task.trial.trial_id, weights=True)
    sent = monotonic()

    def watched(event: Mapping[str, Any]) -> None:
        nonlocal sent
        on_event(event)
        if event["kind"] == "epoch" and monotonic() - sent > SEND_STATE_SECONDS:
            mirror.send_unit(task.trial.trial_id)
            sent = monotonic()

    record = execute(task, watched)
    mirror.send_unit(task.trial.trial_id)
    return record


def bring_inputs(task: Task, storage: Storage, mirror: Mirror) -> None:
    """Manifest, packed clips and weights, fetched once per machine whoever asks first."""
    manifest, pack = Path(task.manifest), Path(task.pack)
    with _locked(manifest.with_name(f".{manifest.name}.lock")):
        if not manifest.exists() or sha256(manifest.read_bytes()).hexdigest() != storage.manifest_hash:
            mirror.bring_input(manifest)
    wanted = [pack] if task.checkpoint is None else [pack, Path(task.checkpoint).expanduser()]
    for path in wanted:
        if not path.exists():
            with _locked(path.with_name(f".{path.name}.lock")):
                if not path.exists():
                    mirror.bring_input(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process of this machine at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
