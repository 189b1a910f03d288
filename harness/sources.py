"""Which source files of a package came with dferbench, and which were added where it is installed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

RELEASED = "released.txt"
"""Lies in a package's folder and lists its modules, one a line; ``make released`` writes it."""


def released(folders: Sequence[Path]) -> frozenset[str]:
    """The modules that came with dferbench, by their paths in a package without ``.py``: ``x3d``, ``_blocks/dam``."""
    lists = (folder / RELEASED for folder in folders)
    return frozenset(line for file in lists if file.exists() for line in file.read_text(encoding="utf-8").split())


def added_with(file: Path, package: str, folders: Sequence[Path]) -> list[Path]:
    """A file that was added to a package, and what was added to the package and is imported by it, at any remove."""
    ours, found, waiting = released(folders), [file], [file]
    while waiting:
        modules = {module for module in _imports(waiting.pop(), package) if module not in ours}
        files = [path for module in sorted(modules) if (path := _file_of(module, folders)) and path not in found]
        found += files
        waiting += files
    return found


def _imports(file: Path, package: str) -> Iterator[str]:
    """The modules of the package that a file names in imports, and names in them that may be modules."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
        if isinstance(node, ast.ImportFrom):
            origin = f"{package}.{node.module or ''}".rstrip(".") if node.level else str(node.module)
            names = [origin, *(f"{origin}.{name}" for name in names)]
        inside = (name.removeprefix(f"{package}.") for name in names if name.startswith(f"{package}."))
        yield from (name.replace(".", "/") for name in inside)


def _file_of(module: str, folders: Sequence[Path]) -> Path | None:
    candidates = (folder / f"{module}{ending}" for folder in folders for ending in (".py", "/__init__.py"))
    return next((path for path in candidates if path.exists()), None)
