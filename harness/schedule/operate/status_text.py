"""A study's status for people: one table per method and phase, what runs now, and what went wrong."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.errors import gist
from harness.paths import RunPaths
from harness.schedule.clock import clock
from harness.schedule.operate.status import PhaseStatus, StudyStatus, Watcher, read_status

COUNTED = ("done", "running", "waiting", "failed", "diverged", "stopped")
ALWAYS, ALWAYS_AFTERWARDS = ("done", "running", "waiting", "failed"), ("done", "waiting", "failed")
WATCH_SECONDS = 2.0
SILENT_SECONDS = 30.0
"""A living driver writes every ten seconds."""
STATES = {
    "preparing": "is being prepared",
    "training": "is being run",
    "reporting": "is being reported",
    "finished": "is finished",
    "interrupted": "was interrupted; the same run command goes on from here",
    "broken": "ended with an error; the same run command goes on from here",
    "killed": "was killed; the same run command goes on from here",
    "unknown": "is not being run",
}


def show_status(run: RunPaths, console: Console, *, as_json: bool, watch: bool) -> None:
    """Print a study's status; with ``watch`` again and again, until no driver is left.

    Raises:
        HarnessError: if the study was never started in this folder.
        KeyboardInterrupt: if the user has seen enough.
    """
    if not watch:
        _print(read_status(run), console, as_json)
        return
    if as_json or not console.is_terminal:
        last = ""
        for status in _statuses(run):
            line = json.dumps(status.content()) if as_json else headline(status)
            if line != last:
                _out(line)
            last = line
        return
    with Live(console=console, auto_refresh=False) as live:
        for status in _statuses(run):
            live.update(render(status), refresh=True)


def render(status: StudyStatus) -> RenderableType:
    """The whole of it."""
    parts: list[RenderableType] = [Text(headline(status))]
    if status.reason:
        parts.append(Text(f"It said: {gist(status.reason)}", style="red"))
    if status.phases:
        parts.append(_phases(status))
    if status.running:
        parts.append(_running(status))
    parts += [Text(line) for line in _searches(status)]
    for error in status.errors:
        attempts = f" ({error['attempts']} attempts)" if error["attempts"] else ""
        parts.append(Text(f"{error['unit']}{attempts}: {gist(error['error'])}", style="red"))
    if status.counts["failed"] and not status.driver:
        parts.append(Text("The next run tries failed trials again."))
    return Group(*parts)


def headline(status: StudyStatus) -> str:
    """One line: what the study is doing, who does it, and how long that will take.

    A share of trials is of all that the study asks for, where the driver has said how many these are; a search may have
    asked for fewer in the end.
    """
    ended = sum(status.counts[state] for state in COUNTED if state not in {"running", "waiting"})
    total = status.counts.total() if status.state == "finished" else max(status.total or 0, status.counts.total())
    words = [f"{status.study} {STATES[status.state]}"]
    if status.driver:
        words[0] += f" by {status.driver}"
    words.append(f"{ended} of {total} trials ended")
    if status.driver and status.elapsed_seconds is not None:
        words.append(f"{clock(status.elapsed_seconds)} elapsed")
    if status.remaining_seconds is not None:
        words.append(f"about {clock(status.remaining_seconds)} left")
    if status.state != "finished" and status.silent_seconds is not None and status.silent_seconds >= SILENT_SECONDS:
        words.append(f"last heard of {clock(status.silent_seconds)} ago")
    return ", ".join(words)


def _phases(status: StudyStatus) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    always = ALWAYS if status.driver else ALWAYS_AFTERWARDS
    shown = [state for state in COUNTED if state in always or status.counts[state]]
    table.add_column("method")
    table.add_column("phase")
    for name in (*shown, "epochs", "time", "val UAR", "chosen"):
        table.add_column(name, justify="right", no_wrap=True)
    for phase in status.phases:
        table.add_row(Text(phase.method), phase.phase, *_cells(phase, shown))
    return table


def _cells(phase: PhaseStatus, shown: list[str]) -> Iterator[str]:
    for state in shown:
        yield str(phase.counts.get(state, 0))
    yield str(phase.spent_epochs)
    yield clock(phase.spent_seconds)
    yield "" if phase.best is None else f"{phase.best:.1%}"
    yield f"#{phase.chosen}" if phase.phase == "search" and phase.chosen is not None else ""


def _searches(status: StudyStatus) -> Iterator[str]:
    """What became of each search's configurations."""
    for phase in status.phases:
        if phase.configurations:
            counted = (f"{count} {name.replace('_', ' ')}" for name, count in sorted(phase.configurations.items()))
            yield f"{phase.method} has tried {sum(phase.configurations.values())} configurations: {', '.join(counted)}."


def _running(status: StudyStatus) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("running now", "state", "epoch", "val UAR", "time", "host", ""):
        table.add_column(name, justify="right" if name in {"epoch", "val UAR", "time"} else "left")
    for unit in status.running:
        uar = "" if unit.get("val_uar") is None else f"{unit['val_uar']:.1%}"
        table.add_row(
            Text(str(unit["unit"])),
            str(unit["state"]),
            f"{unit['epoch']}/{unit['epochs']}",
            uar,
            clock(unit["seconds"]),
            Text(str(unit.get("host", ""))),
            Text(str(unit.get("detail", ""))),
        )
    return table


def _statuses(run: RunPaths) -> Iterator[StudyStatus]:
    """The status every two seconds, until no driver is left."""
    watcher = Watcher(run)
    while True:
        status = watcher.status()
        yield status
        if status.driver is None:
            return
        time.sleep(WATCH_SECONDS)


def _print(status: StudyStatus, console: Console, as_json: bool) -> None:
    if as_json:
        _out(json.dumps(status.content(), indent=1))
    else:
        console.print(render(status), highlight=False)


def _out(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
