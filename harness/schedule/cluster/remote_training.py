"""The folder of one training on a mirror: what is damaged there is not brought, and no mixture of two is left there.

A training that was made again has files of the same names, often of the same sizes and never of quite the same content
(its record says how long it took). So the files that its record lists are sent all or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from harness.paths import UnitPaths
from harness.schedule.cluster.remote_folder import RemoteFolder
from harness.tables import store
from harness.tables.temporary import hidden_name, remove
from harness.train.quarantine import damage
from harness.train.record import read_record

FETCHES = 2
"""A damaged copy is fetched again before it is taken for damaged there."""

logger = logging.getLogger("dferbench")


class RemoteTraining:
    """One folder here and there.

    Args:
        there: the mirror.
        name: what the folder is called there.
        here: where it lies here.
        found: names and sizes of what is there, of this folder and others; what is deleted there leaves it.
    """

    def __init__(self, there: RemoteFolder, name: str, here: UnitPaths, found: dict[str, int]) -> None:
        self._there, self._name, self._here, self._found = there, name, here, found

    def bring(self, *, weights: bool) -> None:
        """Fetch the folder, or what was added there to the one that is here; nothing of another training's."""
        if not self._here.folder.exists():
            self._bring_whole(weights=weights)
        elif self._here.record.exists() and self._there.read(self._record) == self._here.record.read_bytes():
            for name in self._missing(self._here, weights=weights):
                self._fetch_sound(name, self._here)
            if weights:
                self._here.elsewhere.unlink(missing_ok=True)

    def send(self) -> None:
        """Send what is not there: evaluations one by one, a training as a whole with its record last."""
        files = {self._named(path.name): path for path in self._files()}
        trained = self._trained()
        whole = self._record in self._found and all(self._is_there(files, name) for name in trained)
        if not whole and not trained <= files.keys():
            return
        if not whole and self._record in self._found:
            self._delete(self._record)
        for name, path in sorted(files.items(), key=lambda item: (item[0] == self._record, item[0])):
            if self._found.get(name) != path.stat().st_size or (not whole and name in trained):
                self._there.send(path, name)

    def _bring_whole(self, *, weights: bool) -> None:
        """Fetch the folder under a hidden name, and give it its own if it is sound."""
        reason = ""
        for _ in range(FETCHES):
            hidden = UnitPaths(self._here.folder.with_name(hidden_name(self._here.folder.name)))
            try:
                for name in self._missing(hidden, weights=weights):
                    self._fetch_sound(name, hidden)
                reason = damage(hidden, thorough=weights)
                if not reason:
                    publish_folder(hidden.folder, self._here.folder)
                    return
            finally:
                remove(hidden.folder)
        self._condemn(sorted(self._inside(), key=lambda name: name != self._record), reason)

    def _missing(self, paths: UnitPaths, *, weights: bool) -> list[str]:
        """What is there and not in a folder here; for weights that are left there, a mark is made."""
        wanted = []
        for name in sorted(self._inside()):
            path = paths.folder / Path(name).name
            if path.exists():
                continue
            if paths.is_weights(path.name) and not weights:
                paths.elsewhere.parent.mkdir(parents=True, exist_ok=True)
                paths.elsewhere.touch()
                continue
            wanted.append(name)
        return wanted

    def _fetch_sound(self, name: str, paths: UnitPaths) -> None:
        """Fetch a file; a table that is damaged there is deleted there, to be made again."""
        path, flaw = paths.folder / Path(name).name, ""
        for _ in range(FETCHES):
            hidden = path.with_name(hidden_name(path.name))
            try:
                self._there.fetch(name, hidden)
                flaw = store.flaw(hidden) if path.suffix == ".parquet" else ""
                if not flaw:
                    hidden.replace(path)
                    return
            finally:
                hidden.unlink(missing_ok=True)
        self._condemn([name], flaw)

    def _condemn(self, names: list[str], reason: str) -> None:
        logger.warning("%s: %s is damaged (%s); deleted there, and made again.", self._there.uri, names[0], reason)
        for name in names:
            self._delete(name)

    def _delete(self, name: str) -> None:
        self._there.delete(name)
        self._found.pop(name, None)

    def _trained(self) -> set[str]:
        """What a training here left, by its names there."""
        listed = read_record(self._here).get("files", {}) if self._here.record.exists() else {}
        return {self._named(name) for name in (*listed, self._here.record.name)}

    def _is_there(self, files: dict[str, Path], name: str) -> bool:
        """Whether a file is there, as large as the one here; weights may be there alone."""
        return name in self._found and (name not in files or files[name].stat().st_size == self._found[name])

    def _files(self) -> Iterator[Path]:
        folder = self._here.folder
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_file() and not path.name.startswith(".") and path.name != self._here.elsewhere.name:
                yield path

    def _inside(self) -> list[str]:
        return [name for name in self._found if name.rpartition("/")[0] == self._name]

    def _named(self, name: str) -> str:
        return f"{self._name}/{name}"

    @property
    def _record(self) -> str:
        return self._named(self._here.record.name)


def publish_folder(hidden: Path, place: Path) -> None:
    """Give what was fetched its name, unless somebody else was faster."""
    try:
        hidden.rename(place)
    except OSError:
        remove(hidden)
