"""Text lists of clips: rows with their line numbers, read strictly, mistakes collected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import CollectedError, HarnessError


class Row(NamedTuple):
    """One line of a list: where it stands and its cells without surrounding space."""

    where: str
    cells: tuple[str, ...]


@dataclass
class Problems:
    """Mistakes found so far, raised together so that they can be mended in one pass.

    Attributes:
        found: mistakes in lists.
        bad: listed clips that are missing, empty or stubs, by clip id; a study may choose to do without them.
    """

    found: list[str] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)

    def add(self, where: str | Path, what: str) -> None:
        """Note a mistake with its file (and line)."""
        self.found.append(f"{where}: {what}")

    def raise_if_any(self, headline: str) -> None:
        """Raise what was found.

        Raises:
            CollectedError: if anything was.
        """
        if self.found:
            raise CollectedError(f"{headline}: {len(self.found)} problem(s)", self.found)


def read_text(path: Path) -> str:
    """A text file in UTF-8 (a byte order mark is allowed).

    Raises:
        HarnessError: for a missing file or another encoding; the line is named.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror}).") from None
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise HarnessError(f"{path}:{line}: not UTF-8 text (zero bytes, as in UTF-16); save the list as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise HarnessError(f"{path}:{line}: not UTF-8 text; save the list as UTF-8.") from None


def read_rows(path: Path, separator: str | None = ",") -> list[Row]:
    """The non-empty lines of a list, split into cells; Windows line ends are allowed.

    Args:
        path: the list.
        separator: between cells; ``None`` for any white space.

    Raises:
        HarnessError: for a missing file or another encoding.
    """
    lines = (line.rstrip("\r") for line in read_text(path).split("\n"))
    return [
        Row(f"{path}:{number}", tuple(cell.strip() for cell in line.split(separator)))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def leaves_root(name: str) -> bool:
    """Whether a name in a list points outside the folder that it is relative to.

    >>> leaves_root("../../etc/passwd"), leaves_root("/etc/passwd"), leaves_root("Action/Sad/0010")
    (True, True, False)
    """
    return ".." in re.split(r"[\\/]", name) or name.startswith(("/", "\\", "~")) or name[1:2] == ":"


def column(header: Sequence[str], names: Iterable[str]) -> int | None:
    """The position of the first column that goes by one of the names, compared in lower case."""
    lowered = [cell.lower() for cell in header]
    return next((lowered.index(name) for name in names if name in lowered), None)
