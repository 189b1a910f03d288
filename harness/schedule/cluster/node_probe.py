"""Whether a machine of a cluster can do a study's work: its folders, its data, its version of this program.

``probe`` runs on the machine in question and touches nothing but a few small files of its own, and what dead processes
of that machine left half written.
"""

from __future__ import annotations

import os
import platform
import socket
import uuid
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import harness
from harness.errors import CollectedError, HarnessError
from harness.tables.temporary import sweep


class Wanted(NamedTuple):
    """What every machine must see, told as plain values so that it can be sent anywhere.

    Attributes:
        units: folder of the trials, writable.
        marker: a file that the driver has put into it: only who shares the folder sees it.
        manifest: the data manifest.
        manifest_hash: SHA-256 of its content.
        pack: folder of the packed clips.
        weights: checkpoints that methods start from.
        version: the driver's version of dferbench.
        has_store: whether a store carries data and results, so that folders need not be shared.
    """

    units: str
    marker: str
    manifest: str
    manifest_hash: str
    pack: str
    weights: tuple[str, ...]
    version: str
    has_store: bool


class Found(NamedTuple):
    """What a machine answered.

    Attributes:
        host: its name.
        problems: what is wrong with it.
        unshared: what it does not have in common with the driver.
        trace: a file that the driver can see if their folders are one.
    """

    host: str
    problems: tuple[str, ...]
    unshared: tuple[str, ...]
    trace: str


def wanted_of(units: Path, manifest: Path, pack: Path, weights: Sequence[str], *, has_store: bool) -> Wanted:
    """What the driver expects of every machine; puts its marker into the folder of the trials.

    Raises:
        HarnessError: if the driver itself cannot write there.
    """
    marker = units / f".probe-{uuid.uuid4().hex}"
    try:
        units.mkdir(parents=True, exist_ok=True)
        marker.write_text(socket.gethostname(), encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"{units}: cannot be written ({error.strerror}). Use --out for another folder.") from error
    found = sha256(manifest.read_bytes()).hexdigest()
    paths = (str(marker), str(manifest.absolute()), found, str(pack.absolute()))
    return Wanted(str(units.absolute()), *paths, tuple(weights), harness.__version__, has_store)


def probe(wanted: Wanted) -> Found:
    """What is wrong with this machine, in words; nothing if it can do the work."""
    problems = []
    if harness.__version__ != wanted.version:
        problems.append(f"dferbench {harness.__version__} is installed, the driver has {wanted.version}")
    trace = Path(wanted.units) / f".probe-{uuid.uuid4().hex}-{platform.node()}"
    try:
        _write_read_rename(trace)
        sweep(trace.parent)
    except OSError as error:
        problems.append(f"{wanted.units} cannot be written ({error.strerror})")
    return Found(platform.node(), tuple(problems), tuple(_unshared(wanted)), str(trace))


def _write_read_rename(trace: Path) -> None:
    """What publishing a trial does: write under a hidden name, flush, read back, rename."""
    trace.parent.mkdir(parents=True, exist_ok=True)
    hidden, content = trace.with_name(f"{trace.name}.tmp"), os.urandom(64)
    with hidden.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if hidden.read_bytes() != content:
        raise OSError(5, "what was written is not what is read")
    hidden.rename(trace)


def _unshared(wanted: Wanted) -> list[str]:
    """Which of the driver's files are not here."""
    problems = []
    if not Path(wanted.marker).exists():
        problems.append(f"{wanted.units} is not the driver's folder of that name")
    manifest = Path(wanted.manifest)
    if not manifest.exists() or sha256(manifest.read_bytes()).hexdigest() != wanted.manifest_hash:
        problems.append(f"the data manifest {wanted.manifest} is not there, or not the driver's")
    if not os.access(wanted.pack, os.R_OK):
        problems.append(f"the packed clips {wanted.pack} are not there (DFERBENCH_CACHE must be on a shared folder)")
    problems += [f"the weights {one} are not there" for one in wanted.weights if not Path(one).expanduser().exists()]
    return problems


def judge(wanted: Wanted, answers: Sequence[Found], silent: Sequence[str]) -> bool:
    """Whether all machines share the driver's folders; complain of those that cannot do the work, and tidy up.

    Raises:
        CollectedError: machine by machine, what is wrong and what to do.
    """
    problems = [f"{found.host}: {problem}" for found in answers for problem in found.problems]
    problems += [f"{host}: did not answer" for host in silent]
    unshared = [f"{found.host}: {reason}" for found in answers for reason in found.unshared]
    unshared += [
        f"{found.host}: what it writes to {wanted.units} is not seen here"
        for found in answers
        if not found.problems and not Path(found.trace).exists()
    ]
    problems += [] if wanted.has_store else unshared
    for path in (wanted.marker, *(found.trace for found in answers)):
        with suppress(OSError):
            Path(path).unlink(missing_ok=True)
    if problems:
        advice = (
            "Put --out and DFERBENCH_CACHE on a folder that all machines mount at the same path, or give --store a "
            "place that all can reach (s3://bucket/runs)."
        )
        raise CollectedError(f"{len(problems)} problems with the machines of the cluster. {advice}", problems)
    return not unshared
