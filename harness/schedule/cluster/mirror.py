"""A runs folder mirrored to a remote one: what is sent and what is brought, and in which order.

The same rule holds there as on disk: a record that exists is finished, so records are sent last, and a transfer that
broke off is repeated by the next. Weights stay there until a trial needs them. What is damaged there is not brought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.paths import RunPaths, UnitPaths
from harness.schedule.cluster.remote_folder import RemoteFolder
from harness.schedule.cluster.remote_training import RemoteTraining, publish_folder
from harness.tables import json_lines
from harness.tables.temporary import hidden_name

TRANSFERS = 8
"""Trials fetched at the same time."""
STUDY_FILES = (
    *("search.journal", "wanted.jsonl", "study.yaml", "dataset.json", "suite.json"),
    *("leaderboard.*", "report.*", "tables/*"),
)


class Mirror:
    """The mirror of one runs folder.

    Args:
        uri: where it lies.
        root: the runs folder here.

    Raises:
        HarnessError: if nothing can be reached by such a URI.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self._there, self._root = RemoteFolder(uri), root
        self.uri = self._there.uri
        self._known: dict[str, dict[str, int]] | None = None

    @classmethod
    def of_units(cls, uri: str, units: str) -> Mirror:
        """The mirror of the runs folder whose trials lie in ``units``."""
        return cls(uri, Path(units).parent)

    def check(self) -> None:
        """Write, read and delete a small file there.

        Raises:
            HarnessError: if one of them does not work, before anything is trained.
        """
        self._there.check()

    def bring_unit(self, trial_id: str, *, weights: bool = False) -> None:
        """Fetch what is there of a trial and not here; its weights only on request."""
        found = self._unit_files(trial_id)
        for folder in sorted({name.rpartition("/")[0] for name in found if name.endswith("/record.json")}):
            RemoteTraining(self._there, folder, UnitPaths(self._root / folder), found).bring(weights=weights)
        here = UnitPaths(self._root / "units" / trial_id)
        name = self._name(here.resume)
        if weights and name in found and not here.resume.exists() and not here.record.exists():
            self._there.fetch(name, here.resume)

    def send_units(self, trial_ids: Iterable[str]) -> None:
        """Send several trials at once, and take no more for granted what was listed before."""
        with ThreadPoolExecutor(TRANSFERS) as pool:
            list(pool.map(self.send_unit, trial_ids))
        self._known = None

    def send_unit(self, trial_id: str) -> None:
        """Send what is here of a trial and not there, records last; the state of a training that has ended goes."""
        here = UnitPaths(self._root / "units" / trial_id)
        there = self._unit_files(trial_id)
        for one in (here, *here.all_stopped().values()):
            RemoteTraining(self._there, self._name(one.folder), one, there).send()
        resume = self._name(here.resume)
        if here.record.exists() and resume in there:
            self._there.delete(resume)
        elif here.resume.exists() and not here.record.exists():
            self._there.send(here.resume, resume)

    def bring_study(self, run: RunPaths) -> None:
        """Fetch a study's journal, unless the one here is as long, and the trials that it wanted so far."""
        name = self._name(run.journal)
        size = self._there.sizes(name).get(name, 0)
        if size > (run.journal.stat().st_size if run.journal.exists() else 0):
            self._there.fetch(name, run.journal)
        self._known = {}
        for name, size in self._there.sizes("units").items():
            trial_id = name.split("/")[1].partition(".")[0]
            self._known.setdefault(trial_id, {})[name] = size
        lines = json_lines.parse(self._there.read(self._name(run.wanted)))
        ids = dict.fromkeys(str(line["trial_id"]) for line in lines)
        with ThreadPoolExecutor(TRANSFERS) as pool:
            list(pool.map(self.bring_unit, [one for one in ids if one in self._known]))

    def send_study(self, run: RunPaths) -> None:
        """Send a study's journal, tables and report."""
        for pattern in STUDY_FILES:
            for path in sorted(run.folder.glob(pattern)):
                if path.is_file() and not path.name.startswith("."):
                    self._there.send(path, self._name(path))

    def forget_states(self, trial_ids: Iterable[str]) -> None:
        """Delete the states of trainings that do not go on."""
        for trial_id in trial_ids:
            name = self._name(UnitPaths(self._root / "units" / trial_id).resume)
            for found in self._there.sizes(name):
                self._there.delete(found)

    def send_inputs(self, files: Iterable[Path], folder: Path) -> None:
        """Send what machines need that share no folder with this one: single files, and the packed clips."""
        there = self._there.sizes("inputs")
        for path in files:
            self._send(path, f"inputs/{path.name}", there)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self._send(path, f"inputs/{folder.name}/{path.relative_to(folder)}", there)

    def bring_input(self, path: Path) -> None:
        """Fetch a file or folder of the same name that ``send_inputs`` has sent, to the same place."""
        name = f"inputs/{path.name}"
        there = self._there.sizes(name)
        hidden = path.with_name(hidden_name(path.name))
        if there:
            for one in there:
                self._there.fetch(one, hidden / Path(one).relative_to(name))
        else:
            self._there.fetch(name, hidden)
        publish_folder(hidden, path)

    def _unit_files(self, trial_id: str) -> dict[str, int]:
        """Names below the root and sizes of what is there of a trial; from the list, once there is one."""
        if self._known is not None:
            return self._known.setdefault(trial_id, {})
        names = (f"units/{trial_id}", f"units/{trial_id}.stopped", f"units/{trial_id}.resume.pt")
        return {name: size for one in names for name, size in self._there.sizes(one).items()}

    def _send(self, path: Path, name: str, there: Mapping[str, int]) -> None:
        """Send a file, unless one of its name and size is there."""
        if path.stat().st_size != there.get(name):
            self._there.send(path, name)

    def _name(self, path: Path) -> str:
        """What a file of the runs folder is called there."""
        return str(path.relative_to(self._root))
