"""A folder at any place that fsspec reaches: s3://, gs://, file://, memory:// and more.

A file is there whole or not at all, and what a network spoils now and then is tried again. Names are those of files
below the folder, with slashes.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fsspec.core import url_to_fs

from harness.errors import HarnessError
from harness.tables.temporary import hidden_name

ATTEMPTS = 4
PAUSE_SECONDS = 1.0
"""Before the second attempt of a transfer; doubled before each further one."""
FLAT = {"abfs", "az", "gcs", "gs", "memory", "oci", "oss", "s3", "s3a"}
"""Object stores: a name may hold slashes, there are no folders, and what is written appears whole."""
Result = TypeVar("Result")


class RemoteFolder:
    """A folder that others may reach too. Every method raises what ``check`` raises.

    Args:
        uri: where it lies.

    Raises:
        HarnessError: if nothing can be reached by such a URI.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        try:
            self._fs, base = url_to_fs(self.uri)
        except (ImportError, ValueError) as error:
            raise HarnessError(
                f"--store {uri}: {error}. For s3:// install dferbench[s3], for gs:// dferbench[gcs]."
            ) from error
        self._base = base.rstrip("/")
        protocol = self._fs.protocol
        protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self._renames, self._has_folders = "file" in protocols, not protocols & FLAT

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

    def sizes(self, name: str) -> dict[str, int]:
        """Names and sizes in bytes of the files in a folder, or of the one file of that name; none if there is none."""

        def find() -> dict[str, Any]:
            self._fs.invalidate_cache()
            found: dict[str, Any] = self._fs.find(f"{self._base}/{name}", detail=True)
            return found

        start = len(self._base) + 1
        return {path[start:]: int(info["size"]) for path, info in self._tried(find, "be listed").items()}

    def read(self, name: str) -> bytes:
        """A small file's content; nothing if there is no such file."""
        there = f"{self._base}/{name}"
        return self._tried(lambda: self._fs.cat_file(there) if self._fs.exists(there) else b"", "be read")

    def write(self, name: str, content: bytes) -> None:
        """Write a small file there."""
        self._put(name, lambda there: self._fs.pipe_file(there, content))

    def send(self, path: Path, name: str) -> None:
        """Write a file there."""
        self._put(name, lambda there: self._fs.put_file(str(path), there))

    def _put(self, name: str, write: Callable[[str], object]) -> None:
        """Write a file there; under another name first where half a file can be seen."""
        target = f"{self._base}/{name}"
        hidden = f"{target}.{uuid.uuid4().hex}.part"

        def put() -> None:
            self._make_parent(target)
            if not self._renames:
                write(target)
                return
            write(hidden)
            self._fs.mv(hidden, target)

        self._tried(put, f"take {name.rpartition('/')[2]}")

    def fetch(self, name: str, path: Path) -> None:
        """Fetch a file, too large for memory perhaps; it appears here whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(hidden_name(path.name))
        try:
            self._tried(lambda: self._fs.get_file(f"{self._base}/{name}", str(hidden)), f"give {name}")
            hidden.replace(path)
        finally:
            hidden.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Delete a file."""
        self._tried(lambda: self._fs.rm_file(f"{self._base}/{name}"), "be tidied up")

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
