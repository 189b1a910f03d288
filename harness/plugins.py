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

from harness.errors import HarnessError, raised, unknown
from harness.seeds import digest
from harness.sources import added_with, released

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
    return tuple(sorted(_files(package) | {point.name for point in _entry_points(package)}))


@cache
def _files(package: str) -> frozenset[str]:
    """The names of a package's own files; looked up once, because an evaluation loads a plugin for every pass."""
    paths = (path for folder in package_folders(package) for path in folder.glob("*.py"))
    return frozenset(path.stem for path in paths if not path.name.startswith("_"))


def source_file(kind: str, name: str) -> Path | None:
    """The file that a plugin is exported from; nothing is imported but the packages that it lies in."""
    package = KINDS[kind]
    if name in _files(package):
        return next(path for folder in package_folders(package) if (path := folder / f"{name}.py").exists())
    point = next((point for point in _entry_points(package) if point.name == name), None)
    try:
        spec = importlib.util.find_spec(point.module) if point else None
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin else None


@cache
def code(kind: str, name: str) -> str:
    """Sixteen digits that change with the source of a plugin that dferbench was not released with; else empty.

    What we change ourselves is told by versions of ours (of trials, of the suite); what others change, nobody tells us.
    Of another package's plugin all files count; of a file that was added to a folder of ours, the file itself and what
    it imports of other files that were added there.
    """
    package = KINDS[kind]
    point = next((point for point in _entry_points(package) if point.name == name), None)
    if point is not None:
        files = _files_of_package(point.module.partition(".")[0])
    elif name in _files(package) - released(package_folders(package)):
        file = source_file(kind, name)
        files = added_with(file, package, package_folders(package)) if file else []
    else:
        return ""
    return digest([[path.name, path.read_text(encoding="utf-8", errors="replace")] for path in files])


def _files_of_package(name: str) -> list[Path]:
    package = importlib.util.find_spec(name)
    folders = list(package.submodule_search_locations or []) if package else []
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*.py"))]
    if not files and package and package.origin:
        files = [Path(package.origin)]
    return files


def load(kind: str, name: str) -> Any:
    """The object that a plugin file exports.

    Raises:
        HarnessError: if no such file exists, if the file cannot be imported or does not export an object of its own
            name, or if another package has something of the same name, which no result would tell from it.
    """
    package = KINDS[kind]
    own, others = name in _files(package), [point for point in _entry_points(package) if point.name == name]
    if not own and not others:
        raise unknown(kind, name, names(kind))
    if own + len(others) > 1:
        rivals = ", ".join(f"'{point.value}'" for point in others)
        raise HarnessError(
            f"The {kind} '{name}' is not the only one of its name: {rivals} of other packages. Rename it."
        )
    try:
        if others:
            return others[0].load()
        module = importlib.import_module(f"{package}.{name}")
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"The {kind} '{name}' cannot be loaded: {raised(error, source_file(kind, name))}") from error
    try:
        return getattr(module, name)
    except AttributeError:
        raise HarnessError(
            f"{module.__file__} exports no object named '{name}', which is what makes it a {kind}."
        ) from None
