"""An extension is a file: ``models/x3d.py`` *is* the model ``x3d`` and exports one object of that name.

Listing names imports nothing; loading imports one file. Third parties add theirs through the entry-point
group ``dferbench.<package>`` (for example ``dferbench.models``) by the same contract.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, unknown

KINDS = {
    "model": "models",
    "perturbation": "perturbations",
    "objective": "harness.objectives",
    "dataset": "harness.datasets",
    "metric": "harness.metrics",
}


def package_folders(package: str) -> list[Path]:
    """The folders of a package, found without importing it."""
    parent, _, _ = package.partition(".")
    spec = importlib.util.find_spec(parent)
    roots = [Path(location) for location in (spec.submodule_search_locations or [])] if spec else []
    return [root.joinpath(*package.split(".")[1:]) for root in roots]


@cache
def _entry_points(package: str) -> tuple[EntryPoint, ...]:
    """What other installed packages add; asked once, because Python looks through all of them for it."""
    return tuple(entry_points(group=f"dferbench.{package}"))


def names(kind: str) -> tuple[str, ...]:
    """All known names of a kind (``model``, ``perturbation``, ``objective``, ``dataset``, ``metric``), sorted."""
    package = KINDS[kind]
    files = {
        path.stem
        for folder in package_folders(package)
        for path in folder.glob("*.py")
        if not path.name.startswith("_")
    }
    return tuple(sorted(files | {point.name for point in _entry_points(package)}))


def load(kind: str, name: str) -> Any:
    """The object that a plugin file exports.

    Raises:
        HarnessError: if no such file exists, or if the file does not export an object of its own name.
    """
    known = names(kind)
    if name not in known:
        raise unknown(kind, name, known)
    package = KINDS[kind]
    for point in _entry_points(package):
        if point.name == name:
            return point.load()
    module = importlib.import_module(f"{package}.{name}")
    try:
        return getattr(module, name)
    except AttributeError:
        raise HarnessError(
            f"{module.__file__} exports no object named '{name}', which is what makes it a {kind}."
        ) from None
