"""A full disk and a folder that cannot be used are the user's to mend: say which, where, and what to do."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StorageError
from harness.tables.temporary import hidden_name

FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up"}
CLOSED = {
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.ENOTDIR: "a file is where a folder should be",
    errno.EIO: "the device does not work",
    errno.ESTALE: "the network storage is gone",
}


@contextmanager
def storage(folder: Path, instead: str = "use --out for another folder") -> Iterator[None]:
    """Within it, a disk that is full or closed raises an error that says so.

    Args:
        folder: what is being written to, for errors that name no file.
        instead: what else can be done about it.

    Raises:
        StorageError: where it is, what is wrong, what to do.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL and error.errno not in CLOSED:
            raise
        raise explain(error, folder, instead) from error


def explain(error: OSError, folder: Path, instead: str) -> StorageError:
    """The error for a folder that cannot be written to."""
    where = Path(error.filename) if isinstance(error.filename, str) else folder
    advice = "What is finished is kept; the same command goes on from it."
    if error.errno in FULL:
        return StorageError(
            f"{where}: {FULL[error.errno]} ({free_bytes(folder) / 1e6:.0f} MB are free). Make room there, or "
            f"{instead}. {advice}"
        )
    return StorageError(f"{where}: {CLOSED.get(error.errno or 0, error.strerror)}. Mend that, or {instead}. {advice}")


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written to a folder's file system, whether the folder exists yet or not."""
    return shutil.disk_usage(next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())).free


def check_writable(folder: Path) -> None:
    """Write a file into a folder, making the folder if need be, and delete it.

    Raises:
        StorageError: if that cannot be done.
    """
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / hidden_name("writable")
        try:
            trial.write_bytes(b"x")
        finally:
            trial.unlink(missing_ok=True)
