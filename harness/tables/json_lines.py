"""Files of one JSON value a line, which are only appended to; what a kill or a full disk cut off is no line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def text(values: Iterable[Any]) -> str:
    """A line for each value."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def append(values: Iterable[Any], path: Path) -> None:
    """Add values in one write, on lines of their own also where the last one was cut off."""
    with path.open("ab") as file:
        file.write((b"" if _ends_a_line(path) else b"\n") + text(values).encode())


def read(path: Path) -> Iterator[Any]:
    """The values of every whole line; none if there is no file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return iter(())
    return parse(content)


def parse(content: bytes) -> Iterator[Any]:
    """The values of every whole line: an array or an object that was cut off is not JSON."""
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        yield value


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"
