"""Names of unfinished files: hidden, and saying whose they are, so that those of dead processes can be told."""

from __future__ import annotations

import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".tmp"


def hidden_name(name: str) -> str:
    """A name beside ``name`` that belongs to this process alone and that no reader takes for a finished file."""
    return f".{name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}{SUFFIX}"


def abandoned(path: Path) -> bool:
    """Whether an unfinished file or folder was left behind by a process of this host that no longer lives."""
    found = re.fullmatch(rf"\..+\.{re.escape(socket.gethostname())}\.(\d+)\.[0-9a-f]+\{SUFFIX}", path.name)
    return found is not None and not alive(int(found[1]))


def alive(pid: int) -> bool:
    """Whether a process of this host lives; one that has ended and was not waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _signalled(pid)
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def sweep(*folders: Path) -> int:
    """Delete what dead processes of this host left unfinished directly in these folders; how many."""
    left = [path for folder in folders for path in leftovers(folder)]
    for path in left:
        remove(path)
    return len(left)


def leftovers(folder: Path) -> Iterator[Path]:
    """Abandoned files and folders directly in a folder."""
    return (path for path in folder.glob(f".*{SUFFIX}") if abandoned(path))


def remove(path: Path) -> None:
    """Delete a file or a whole folder, if it is still there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _signalled(pid: int) -> bool:
    """The same where there is no /proc."""
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
