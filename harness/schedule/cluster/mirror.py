"""A runs folder mirrored to any place that fsspec reaches: s3://, gs://, file://, memory:// and more.

The same rule holds there as on disk: a record that exists is finished, so records are sent last. Files of a trial are
never changed once they are there, so name and size tell whether one is missing, and a transfer that broke off is
repeated by the next. Weights stay there until a trial needs them.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fsspec.core import url_to_fs

from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths
from harness.tables.temporary import hidden_name, remove

ATTEMPTS = 4
PAUSE_SECONDS = 1.0
"""Before the second attempt of a transfer; doubled before each further one."""
TRANSFERS = 8
"""Trials fetched at the same time."""
STUDY_FILES = (
    *("search.journal", "wanted.jsonl", "study.yaml", "dataset.json", "suite.json"),
    *("leaderboard.*", "report.*", "tables/*"),
)
FLAT = {"abfs", "az", "gcs", "gs", "memory", "oci", "oss", "s3", "s3a"}
"""Object stores: a name may hold slashes, there are no folders, and what is written appears whole."""
Result = TypeVar("Result")


class Mirror:
    """The mirror of one runs folder.

    Args:
        uri: where it lies.
        root: the runs folder here.

    Raises:
        HarnessError: if nothing can be reached by such a URI.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self.uri, self._root = uri.rstrip("/"), root
        try:
            self._fs, base = url_to_fs(self.uri)
        except (ImportError, ValueError) as error:
            raise HarnessError(
                f"--store {uri}: {error}. For s3:// install dferbench[s3], for gs:// dferbench[gcs]."
            ) from error
        self._base = base.rstrip("/")
        protocol = self._fs.protocol
        protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self._known: dict[str, dict[str, int]] | None = None
        self._renames, self._has_folders = "file" in protocols, not protocols & FLAT

    @classmethod
    def of_units(cls, uri: str, units: str) -> Mirror:
        """The mirror of the runs folder whose trials lie in ``units``."""
        return cls(uri, Path(units).parent)

    def check(self) -> None:
        """Write, read and delete a small file there.

        Raises:
            HarnessError: if one of them does not work, before anything is trained.
        """
        there, content = f"{self._base}/.probe-{uuid.uuid4().hex}", uuid.uuid4().bytes

        def round_trip() -> bytes:
            self._make_parent(there)
            self._fs.pipe_file(there, content)
            read: bytes = self._fs.cat_file(there)
            self._fs.rm_file(there)
            return read

        if self._tried(round_trip, "be used") != content:
            raise HarnessError(f"--store {self.uri}: what was written is not what is read.")

    def bring_unit(self, trial_id: str, *, weights: bool = False) -> None:
        """Fetch what is there of a trial and not here; its weights only on request."""
        found = self._unit_files(trial_id)
        folders = sorted({name.rpartition("/")[0] for name in found if name.endswith("/record.json")})
        for folder in folders:
            inside = {name: size for name, size in found.items() if name.rpartition("/")[0] == folder}
            self._bring_folder(UnitPaths(self._root / folder), inside, weights=weights)
        here = UnitPaths(self._root / "units" / trial_id)
        name = str(here.resume.relative_to(self._root))
        if weights and name in found and not here.resume.exists() and not here.record.exists():
            self._load(name, here.resume)

    def send_units(self, trial_ids: Iterable[str]) -> None:
        """Send several trials at once, and take no more for granted what was listed before."""
        with ThreadPoolExecutor(TRANSFERS) as pool:
            list(pool.map(self.send_unit, trial_ids))
        self._known = None

    def send_unit(self, trial_id: str) -> None:
        """Send what is here of a trial and not there, records last; the state of a training that has ended goes."""
        here = UnitPaths(self._root / "units" / trial_id)
        there = self._unit_files(trial_id)
        files = [path for top in (here.folder, here.halts) for path in top.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: (path.name == here.record.name, str(path))):
            name = str(path.relative_to(self._root))
            if "/." not in name and path.name != here.elsewhere.name:
                self._send(path, there.get(name))
        resume = str(here.resume.relative_to(self._root))
        if here.record.exists() and resume in there:
            self._tried(lambda: self._fs.rm_file(f"{self._base}/{resume}"), "be tidied up")
        elif here.resume.exists() and not here.record.exists():
            self._send(here.resume, None)

    def bring_study(self, run: RunPaths) -> None:
        """Fetch a study's journal, unless the one here is as long, and the trials that it wanted so far."""
        name = str(run.journal.relative_to(self._root))
        size = self._files(name).get(name, 0)
        if size > (run.journal.stat().st_size if run.journal.exists() else 0):
            self._load(name, run.journal)
        self._known = {}
        for name, size in self._files("units").items():
            trial_id = name.split("/")[1].partition(".")[0]
            self._known.setdefault(trial_id, {})[name] = size
        wanted = f"{self._base}/{run.wanted.relative_to(self._root)}"
        lines = self._tried(lambda: self._fs.cat_file(wanted) if self._fs.exists(wanted) else b"", "be read")
        ids = dict.fromkeys(str(json.loads(line)["trial_id"]) for line in lines.splitlines())
        with ThreadPoolExecutor(TRANSFERS) as pool:
            list(pool.map(self.bring_unit, [one for one in ids if one in self._known]))

    def send_study(self, run: RunPaths) -> None:
        """Send a study's journal, tables and report."""
        for pattern in STUDY_FILES:
            for path in sorted(run.folder.glob(pattern)):
                if path.is_file() and not path.name.startswith("."):
                    self._send(path, None)

    def forget_states(self, trial_ids: Iterable[str]) -> None:
        """Delete the states of trainings that do not go on."""
        for trial_id in trial_ids:
            name = str(UnitPaths(self._root / "units" / trial_id).resume.relative_to(self._root))
            for found in self._files(name):
                self._tried(partial(self._fs.rm_file, f"{self._base}/{found}"), "be tidied up")

    def send_inputs(self, files: Iterable[Path], folder: Path) -> None:
        """Send what machines need that share no folder with this one: single files, and the packed clips."""
        there = self._files("inputs")
        for path in files:
            self._send(path, there.get(f"inputs/{path.name}"), f"inputs/{path.name}")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = f"inputs/{folder.name}/{path.relative_to(folder)}"
                self._send(path, there.get(name), name)

    def bring_input(self, path: Path) -> None:
        """Fetch a file or folder of the same name that ``send_inputs`` has sent, to the same place."""
        name = f"inputs/{path.name}"
        there = self._files(name)
        hidden = path.with_name(hidden_name(path.name))
        if there:
            for one in there:
                self._load(one, hidden / Path(one).relative_to(name))
        else:
            self._load(name, hidden)
        try:
            hidden.rename(path)
        except OSError:
            remove(hidden)

    def _bring_folder(self, here: UnitPaths, found: dict[str, int], *, weights: bool) -> None:
        """Fetch a folder whole under a hidden name, or add to the one that is here."""
        new = not here.folder.exists()
        target = UnitPaths(here.folder.with_name(hidden_name(here.folder.name))) if new else here
        for name in sorted(found):
            path = target.folder / Path(name).name
            if path.exists() and path.stat().st_size == found[name]:
                continue
            if here.is_weights(path.name) and not weights:
                target.elsewhere.parent.mkdir(parents=True, exist_ok=True)
                target.elsewhere.touch()
                continue
            self._load(name, path)
        if weights:
            target.elsewhere.unlink(missing_ok=True)
        if not new:
            return
        try:
            target.folder.rename(here.folder)
        except OSError:
            remove(target.folder)

    def _unit_files(self, trial_id: str) -> dict[str, int]:
        """Names below the root and sizes of what is there of a trial; from the list, once there is one."""
        if self._known is not None:
            return self._known.get(trial_id, {})
        names = (f"units/{trial_id}", f"units/{trial_id}.stopped", f"units/{trial_id}.resume.pt")
        return {name: size for one in names for name, size in self._files(one).items()}

    def _files(self, name: str) -> dict[str, int]:
        def find() -> dict[str, Any]:
            self._fs.invalidate_cache()
            found: dict[str, Any] = self._fs.find(f"{self._base}/{name}", detail=True)
            return found

        start = len(self._base) + 1
        return {path[start:]: int(info["size"]) for path, info in self._tried(find, "be listed").items()}

    def _send(self, path: Path, size_there: int | None, name: str = "") -> None:
        """Send a file unless one of its size is there; under another name first where half a file can be seen."""
        if path.stat().st_size == size_there:
            return
        target = f"{self._base}/{name or path.relative_to(self._root)}"
        hidden = f"{target}.{uuid.uuid4().hex}.part"

        def put() -> None:
            self._make_parent(target)
            if not self._renames:
                self._fs.put_file(str(path), target)
                return
            self._fs.put_file(str(path), hidden)
            self._fs.mv(hidden, target)

        self._tried(put, f"take {path.name}")

    def _load(self, name: str, path: Path) -> None:
        """Fetch a file, too large for memory perhaps; it appears here whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(hidden_name(path.name))
        try:
            self._tried(lambda: self._fs.get_file(f"{self._base}/{name}", str(hidden)), f"give {name}")
            hidden.replace(path)
        finally:
            hidden.unlink(missing_ok=True)

    def _make_parent(self, path: str) -> None:
        """A folder, where there are folders; to an object store this could mean a bucket that nobody asked for."""
        if self._has_folders:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)

    def _tried(self, action: Callable[[], Result], what: str) -> Result:
        """The result of an action that a network may spoil now and then.

        Raises:
            HarnessError: if it fails again and again, or is not allowed.
        """
        for attempt in range(ATTEMPTS):
            try:
                return action()
            except _network_errors() as error:
                final = attempt == ATTEMPTS - 1 or isinstance(error, PermissionError)
                if final:
                    raise HarnessError(f"--store {self.uri} cannot {what}: {error or type(error).__name__}.") from error
                time.sleep(PAUSE_SECONDS * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


def _network_errors() -> tuple[type[Exception], ...]:
    """What goes wrong on a network; Amazon's library has exceptions of its own, if it is loaded."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, botocore.BotoCoreError) if botocore else (OSError,)
