"""Faults of what ``soak.py``'s studies stand on: a disk that fills up, one that can only be read, clocks that disagree.

Disks are mounts of their own, which takes root on Linux; without it they are no strike.
"""

import contextlib
import errno
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from _soak_faults import DEADLINE_SECONDS, Fault, Site, Struck

DISK_BYTES = 200_000_000
DAYS = 20.0
"""How far clocks and files may be off, in either direction."""
SKEWED = """\
import datetime, os, random
import time_machine
days = random.Random(os.getpid()).uniform(-{days}, {days})
time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days), tick=True).start()
"""
"""Imported by every Python process at its start: its clock is wrong, and no two are wrong alike."""


@contextmanager
def small_disk(where: Site) -> Iterator[None]:
    """The runs folder on a small disk of its own."""
    if not _mounted("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", where.runs):
        yield
        return
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", where.runs], check=True)


def _mounted(*words: str | Path) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


def disk_full(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """No byte is free any more; the study must say so and end."""
    if not where.runs.is_mount():
        return _no_mount(driver)
    filler = where.runs / "filler"
    _fill(filler)
    struck = _given_up(driver, "disk filled")
    filler.unlink()
    return struck


def _fill(filler: Path) -> None:
    """Take whatever is free, down to the last byte."""
    with filler.open("wb", buffering=0) as file:
        for block in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(block))


def read_only(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """Nothing can be written any more; the study must say so and end."""
    if not _mounted("--bind", where.runs, where.runs):
        return _no_mount(driver)
    try:
        if not _mounted("-o", "remount,bind,ro", where.runs):
            raise OSError(errno.EROFS, "could not be made read-only", str(where.runs))
        return _given_up(driver, "made read-only")
    finally:
        subprocess.run(["umount", "--lazy", where.runs], check=True)


def _given_up(driver: subprocess.Popen[str], what: str) -> Struck:
    code = driver.wait(DEADLINE_SECONDS)
    wrong = "" if code in {0, 2} else "FAILED: "
    return Struck(f"{wrong}{what}, driver ended with {code}", effective=code == 2)


def _no_mount(driver: subprocess.Popen[str]) -> Struck:
    driver.wait(DEADLINE_SECONDS)
    return Struck("nothing can be mounted here", effective=False)


def clock_skew(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """The driver is killed; from then on every process has a clock of its own, and files are from any time."""
    driver.kill()
    code = driver.wait(DEADLINE_SECONDS)
    for path in [path for path in sorted(where.runs.rglob("*")) if path.is_file()]:
        shift = draw.uniform(-DAYS, DAYS) * 86_400
        with contextlib.suppress(FileNotFoundError):  # workers that still end may take it away
            os.utime(path, times=(path.stat().st_atime + shift, path.stat().st_mtime + shift))
    where.clock.mkdir()
    (where.clock / "sitecustomize.py").write_text(SKEWED.format(days=DAYS))
    return Struck(f"driver ended with {code}, clocks and files are up to {DAYS:.0f} days off", effective=True)


GROUND: dict[str, Callable[[Site], AbstractContextManager[None]]] = {"disk_full": small_disk}
"""What a fault needs to stand on from the beginning."""
GROUND_FAULTS: dict[str, Fault] = {fault.__name__: fault for fault in (disk_full, read_only, clock_skew)}


def ground(kind: str, where: Site) -> AbstractContextManager[None]:
    """What studies of this kind of fault stand on."""
    return GROUND.get(kind, lambda _: nullcontext())(where)
