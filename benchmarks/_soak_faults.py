"""The faults of ``soak.py``, and the site that they strike: a study in a folder of its own, and its processes."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.paths import RunPaths

MARK = "DFERBENCH_SOAK"
DEADLINE_SECONDS = 600.0
RAYLET_SECONDS = 120.0
"""For a driver to notice that its raylet is dead, and to end or to start another."""
WORKER, RAYLET = r"ray::(?!\w*Agent)", "/raylet/raylet"
"""How Ray calls its processes; its agents are of the raylet, which ends with them."""


@dataclass(frozen=True)
class Site:
    """A folder in which a study is run, and how its processes are known."""

    folder: Path

    @property
    def runs(self) -> Path:
        """The runs folder."""
        return self.folder / "runs"

    @property
    def study(self) -> Path:
        """The study file."""
        return self.folder / "soak.yaml"

    @property
    def clock(self) -> Path:
        """Where it exists, Python processes begin by importing a ``sitecustomize`` from it, which may set clocks."""
        return self.folder / "clock"

    @property
    def results(self) -> RunPaths:
        """Where the study's results lie: it is called like its file."""
        return RunPaths(self.runs, self.study.stem)

    def start(self, verb: str = "run", *options: str) -> subprocess.Popen[str]:
        """Start the command line on the study."""
        command = [sys.executable, "-m", "harness.cli", verb, str(self.study), "--out", str(self.runs), *options]
        log = (self.folder / f"{verb}.log").open("a")
        surroundings = {**os.environ, MARK: str(self.folder)}
        if self.clock.exists():
            surroundings["PYTHONPATH"] = os.pathsep.join([str(self.clock), *filter(None, [os.getenv("PYTHONPATH")])])
        with log:
            return subprocess.Popen(command, env=surroundings, stdout=log, stderr=log, start_new_session=True)

    def living(self, name: str = "") -> list[int]:
        """Processes of this site, whatever their parents, in whose command the pattern ``name`` is found."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                mine = f"{MARK}={self.folder}".encode() in (process / "environ").read_bytes().split(b"\0")
                if mine and re.search(name, (process / "cmdline").read_text().replace("\0", " ")):
                    found.append(int(process.name))
            except OSError:
                continue
        return sorted(found)


class Struck(NamedTuple):
    """What a fault did, with ``FAILED`` in it if that was wrong, and whether it met anything."""

    said: str
    effective: bool


def kill_driver(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """SIGKILL of the driver."""
    driver.kill()
    code = driver.wait(DEADLINE_SECONDS)
    return Struck(f"driver ended with {code}", effective=code == -signal.SIGKILL)


def kill_worker(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """SIGKILL of a worker; the study must go on by itself."""
    struck = _kill_one(where, driver, WORKER, draw)
    code = driver.wait(DEADLINE_SECONDS)
    wrong = "" if code == 0 else "FAILED: "
    return struck._replace(said=f"{wrong}{struck.said}, driver ended with {code}")


def kill_raylet(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """SIGKILL of the raylet, under which all workers die."""
    struck = _kill_one(where, driver, RAYLET, draw)
    try:
        return struck._replace(said=f"{struck.said}, driver ended with {driver.wait(RAYLET_SECONDS)}")
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait(DEADLINE_SECONDS)
        return struck._replace(said=f"FAILED: {struck.said}, and the driver waits for ever")


def _kill_one(where: Site, driver: subprocess.Popen[str], name: str, draw: random.Random) -> Struck:
    while not (found := where.living(name)) and driver.poll() is None:
        time.sleep(0.2)
    if not found:
        return Struck("nothing to kill any more", effective=False)
    victim = draw.choice(found)
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
        return Struck(f"process {victim} killed", effective=True)
    return Struck(f"process {victim} had just ended", effective=False)


def sigterm(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """SIGTERM of the driver."""
    return _interrupted(driver, signal.SIGTERM)


def sigint(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """Ctrl-C."""
    return _interrupted(driver, signal.SIGINT)


def _interrupted(driver: subprocess.Popen[str], sent: signal.Signals) -> Struck:
    driver.send_signal(sent)
    code = driver.wait(DEADLINE_SECONDS)
    wrong = "" if code in {0, 130} else "FAILED: "
    return Struck(f"{wrong}{sent.name}, driver ended with {code}", effective=code == 130)


def stop(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """``dferbench stop``."""
    code, ended = where.start("stop").wait(DEADLINE_SECONDS), driver.wait(DEADLINE_SECONDS)
    wrong = "" if (code, ended) in {(0, 130), (2, 0)} else "FAILED: "
    return Struck(f"{wrong}stop gave {code}, driver {ended}", effective=ended == 130)


def second_driver(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """A second driver on the same folder: it must refuse, or find the first one done."""
    code, first = where.start("run", "--plain").wait(DEADLINE_SECONDS), driver.wait(DEADLINE_SECONDS)
    wrong = "" if sorted((code, first)) in ([0, 2], [0, 0]) else "FAILED: "
    return Struck(f"{wrong}second driver gave {code}, first {first}", effective=2 in {code, first})


def damaged_file(where: Site, driver: subprocess.Popen[str], draw: random.Random) -> Struck:
    """A file of a finished trial cut short or overwritten, after which the study has to make it again."""
    driver.wait(DEADLINE_SECONDS)
    files = sorted(file for file in where.runs.glob("units/[0-9a-f]*/*") if file.is_file())
    victim = draw.choice(files)
    content = victim.read_bytes()
    at = draw.randrange(len(content))
    cut = draw.random() < 0.5
    victim.write_bytes(content[:at] if cut else content[:at] + bytes(64) + content[at + 64 :])
    run = where.results
    for made in (run.table("metrics"), run.output("leaderboard.md"), run.output("leaderboard.csv")):
        made.unlink()
    return Struck(f"{victim.parent.name}/{victim.name} {'cut' if cut else 'overwritten'} at byte {at}", effective=True)


Fault = Callable[[Site, subprocess.Popen[str], random.Random], Struck]
PROCESS_FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (kill_driver, kill_worker, kill_raylet, sigterm, sigint, stop, second_driver, damaged_file)
}
