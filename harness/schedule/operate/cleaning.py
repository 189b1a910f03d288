"""What a runs folder and the cache hold that nothing needs any more; listed first, deleted on request.

Nothing that a living driver may use is ever listed: its hidden folders say whose they are, its packs are the packs of a
study in the folder, and a pack that a driver of another runs folder reads is locked.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths, packs_folder, synthetic_sets_folder
from harness.schedule.forecasting.size import size
from harness.schedule.operate.driver import driver_of, read_progress
from harness.schedule.operate.halted import earlier_halts, given_up
from harness.schedule.operate.wanted import read_json, wanted_by
from harness.tables.temporary import leftovers, remove

QUARANTINED = ".quarantined"
"""How a damaged trial's folder is marked when it is put aside: ``<trial>.quarantined...``."""
RESUME = ".resume.pt"


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that may be deleted.

    Attributes:
        path: what and where.
        reason: why nothing needs it.
        num_bytes: what deleting it frees.
    """

    path: Path
    reason: str
    num_bytes: int

    def content(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "path": str(self.path)}


def clean(root: Path, run: RunPaths | None, *, units: bool, delete: bool) -> list[Item]:
    """What a runs folder, or one study of it, does not need; deleted if asked to.

    Args:
        root: the runs folder.
        run: only this study's own things; the cache and other trials are then left out.
        units: also trials that no study in the folder asks for.
        delete: delete what is listed.

    Raises:
        HarnessError: if the folder does not exist, or ``units`` cannot be decided: a study is being run, or one does
            not say what it asks for.
    """
    if not root.is_dir():
        raise HarnessError(f"There is no runs folder {root}. Give it with --out.")
    runs = studies_in(root)
    if run is not None:
        mine = _ids(run)
        items = [*_unfinished(run.folder, run.folder / "tables"), *_beside(root, mine), *_halted(runs, mine)]
    else:
        items = [*_everywhere(root, runs), *_halted(runs, None), *_cache(runs)]
    if units:
        items += _unwanted(root, runs)
    items = list({item.path: item for item in items}.values())
    if delete:
        for item in items:
            remove(item.path)
    return items


def studies_in(root: Path) -> list[RunPaths]:
    """The studies of a runs folder; one that was copied from a store has no lock."""
    names = {path.parent.name for pattern in ("*/.lock", "*/wanted.jsonl") for path in root.glob(pattern)}
    return [RunPaths(root, name) for name in sorted(names)]


def listing(items: list[Item], *, deleted: bool) -> str:
    """The list for people."""
    lines = [f"{size(item.num_bytes):>9}  {item.path}  ({item.reason})" for item in items]
    total = size(sum(item.num_bytes for item in items))
    if not items:
        return "There is nothing to clean."
    end = f"Deleted {len(items)}: {total}." if deleted else f"{len(items)} to delete: {total}. Delete them with --yes."
    return "\n".join([*lines, end])


def _everywhere(root: Path, runs: list[RunPaths]) -> Iterator[Item]:
    """Unfinished, quarantined and outlived things of a whole runs folder."""
    units = root / "units"
    folders = [folder for folder in units.iterdir() if folder.is_dir()] if units.is_dir() else []
    yield from _unfinished(root, units, *folders)
    for run in runs:
        yield from _unfinished(run.folder, run.folder / "tables")
    yield from _beside(root, None)


def _unfinished(*folders: Path) -> Iterator[Item]:
    for folder in folders:
        for path in leftovers(folder):
            yield _item(path, "left unfinished by a process that is dead")


def _beside(root: Path, ids: set[str] | None) -> Iterator[Item]:
    """What lies beside the trials' folders: quarantined ones, and states to resume from of trials that are finished."""
    units = root / "units"
    for path in sorted(units.iterdir()) if units.is_dir() else []:
        trial_id = path.name.lstrip(".").partition(".")[0]
        if ids is not None and trial_id not in ids:
            continue
        if QUARANTINED in path.name:
            yield _item(path, "put aside because it was damaged")
        elif path == UnitPaths(units / trial_id).halts:
            for halt in sorted(path.glob(f".*{QUARANTINED}*")):
                yield _item(halt, "put aside because it was damaged")
        elif path.name.endswith(RESUME) and UnitPaths(units / trial_id).record.exists():
            yield _item(path, "the state to resume a trial that is finished")


def _halted(runs: list[RunPaths], ids: set[str] | None) -> Iterator[Item]:
    """What trainings that a finished search has halted do not need any more."""
    for paths in given_up(runs):
        if ids is None or paths.folder.name in ids:
            if paths.resume.exists():
                yield _item(paths.resume, "the state of a training that a finished search gave up")
            for halt in earlier_halts(paths):
                yield _item(halt.folder, "a halt before a later one of the same training")


def _ids(run: RunPaths) -> set[str]:
    return {one.trial_id for one in wanted_by(run)}


def _unwanted(root: Path, runs: list[RunPaths]) -> Iterator[Item]:
    """Trials that no study of the folder asks for."""
    for run in runs:
        driver = driver_of(run)
        if driver is not None:
            raise HarnessError(
                f"Study '{run.study}' is being run by {driver}, and may yet ask for any trial in {root / 'units'}. "
                "Wait for it before cleaning with --units."
            )
    asked = {trial_id for run in runs for trial_id in _ids(run)}
    for path in sorted((root / "units").iterdir()) if (root / "units").is_dir() else []:
        trial_id = path.name.partition(".")[0]
        if trial_id and trial_id not in asked:
            yield _item(path, "no study in this folder asks for this trial")


def _cache(runs: list[RunPaths]) -> Iterator[Item]:
    """Packs and drawn data sets that no study of the folder was run on, and packs that were never finished."""
    if runs and packs_folder().is_dir():
        yield from _packs(packs_folder(), runs)
        yield from _drawn(packs_folder(), runs)


def _packs(packs: Path, runs: list[RunPaths]) -> Iterator[Item]:
    used = {Path(str(read_progress(run).get("pack", ""))) for run in runs}
    fingerprints = {str(read_json(run.dataset_file).get("fingerprint", "")) for run in runs}
    for path in _folders(packs):
        if path not in used and path.name.partition("-")[0] not in fingerprints and _free(_users_file(path)):
            yield _item(path, "no study in this folder was run on this pack")
    for path in sorted(packs.glob(".*.building")):
        if _free(packs / f"{path.name.rpartition('.v')[0]}.lock"):
            yield _item(path, "a pack that was never finished")


def _drawn(packs: Path, runs: list[RunPaths]) -> Iterator[Item]:
    """Drawn data sets; none while a driver packs clips, because that reads one."""
    roots = [Path(str(read_json(run.manifest).get("root", ""))) for run in runs]
    packing = not all(_free(lock) for lock in packs.glob(".*.lock"))
    for path in _folders(synthetic_sets_folder()):
        if not packing and not any(path in (root, *root.parents) for root in roots):
            yield _item(path, "no study in this folder was run on this drawn data set")


def _folders(parent: Path) -> list[Path]:
    """Finished folders, that is, ones that are not hidden."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


@contextmanager
def in_use(pack: Path) -> Iterator[None]:
    """Hold a pack, so that nobody cleans it away, until this process ends or leaves."""
    with _users_file(pack).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _free(lock: Path) -> bool:
    """Whether no process of any runs folder holds a lock."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _users_file(pack: Path) -> Path:
    return pack.with_name(f".{pack.name}.users")


def _item(path: Path, reason: str) -> Item:
    files = path.rglob("*") if path.is_dir() else (path,)
    return Item(path=path, reason=reason, num_bytes=sum(file.stat().st_size for file in files if file.is_file()))
