"""Files that somebody drops into the folders of plugins, without touching those folders."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import plugins
from harness.stats.score import known_metrics

Drop = Callable[[str, str, str], Path]


def read_anew(modules: set[str]) -> None:
    """Have files read as a later process would."""
    for module in modules:
        sys.modules.pop(module, None)
    sys.path_importer_cache.clear()
    for cached in (plugins._files, plugins.code, known_metrics):
        cached.cache_clear()


@contextmanager
def loose_files(folder: Path) -> Iterator[Drop]:
    """A function that drops a file of a kind and a name, or another text for it."""
    dropped: set[str] = set()
    homes = {}
    for package in {"harness", *plugins.KINDS.values()}:
        homes[package] = folder.joinpath(*package.split("."))
        homes[package].mkdir(parents=True, exist_ok=True)
        importlib.import_module(package).__path__.append(str(homes[package]))

    def drop(kind: str, name: str, text: str) -> Path:
        package = plugins.KINDS[kind]
        file = homes[package] / f"{name}.py"
        file.write_text(text)
        dropped.add(f"{package}.{name}")
        read_anew(dropped)
        return file

    try:
        yield drop
    finally:
        for package, home in homes.items():
            importlib.import_module(package).__path__.remove(str(home))
        read_anew(dropped)
