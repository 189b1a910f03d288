"""What travels to a cluster with a study: this program's own files and the study, never data."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import harness
from harness.errors import HarnessError
from harness.sources import RELEASED

PACKAGES = ("harness", "models", "perturbations", "studies")
CARRIED = (".py", ".yaml", ".html", ".css", ".js", ".csv", ".j2", ".typed")
"""Endings of the program's own files."""
LEFT_BEHIND = ("__pycache__", ".git", "*.pyc", ".venv")
"""Names that never travel, also not below a folder that is asked for."""
LIMIT_BYTES = 100_000_000
"""Ray keeps what is sent in its head's memory; more than this is data, which belongs on shared storage."""
STUDY = "study.yaml"


def bundle(file: Path, include: Sequence[Path], folder: Path) -> Path:
    """Copy what travels into an empty folder, and return it.

    Args:
        file: the study, which becomes ``study.yaml``.
        include: more files and folders, which keep their names.
        folder: where to.

    Raises:
        HarnessError: if something to include does not exist or hides another, or all of it is too large.
    """
    root = Path(harness.__file__).parent.parent
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if (path.suffix in CARRIED or path.name == RELEASED) and "__pycache__" not in path.parts:
                target = folder / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    shutil.copyfile(file, folder / STUDY)
    for path in include:
        _include(path, folder / path.resolve().name)
    _check_size(path for path in folder.rglob("*") if path.is_file())
    return folder


def _include(path: Path, target: Path) -> None:
    if target.exists():
        raise HarnessError(f"--include {path}: '{target.name}' is already in what is sent. Rename it.")
    if path.is_dir():
        _check_size(one for one in path.rglob("*") if one.is_file())
        shutil.copytree(path, target, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    elif path.is_file():
        _check_size([path])
        shutil.copyfile(path, target)
    else:
        raise HarnessError(f"--include {path}: there is no such file or folder.")


def _check_size(paths: Iterable[Path]) -> None:
    sizes = sorted(((path.stat().st_size, path.name) for path in paths), reverse=True)
    total = sum(size for size, _ in sizes)
    if total > LIMIT_BYTES:
        largest = ", ".join(f"{name} ({size / 1e6:.0f} MB)" for size, name in sizes[:3])
        raise HarnessError(
            f"What would be sent is {total / 1e6:.0f} MB, but at most {LIMIT_BYTES / 1e6:.0f} MB may be. The largest: "
            f"{largest}. Put data on storage that the cluster reaches and name it in the study."
        )
