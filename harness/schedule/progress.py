"""Live progress of a study: a table of trials, or plain log lines."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socket import gethostname
from time import monotonic
from typing import Any, NamedTuple

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.errors import gist
from harness.plan import Unit, counts
from harness.schedule.brain import Brain, key
from harness.schedule.clock import clock
from harness.schedule.operate.publisher import Publisher
from harness.spec.study import StudySpec

SHOWN_ROWS = 24
SHOWN_CHARACTERS, TOLD_CHARACTERS = 200, 500
"""Of the line that a failure ends with: in a log, and to other shells."""
TOLD_FAILURES = 1000
"""Failures that are published; a worker that was killed leaves no other trace of its trial's."""
LINES = ("started", "epoch", "ended")
"""Events that are worth a line in a log."""


class Total(NamedTuple):
    """What a study asks for in all: trainings, and their epochs together."""

    units: int
    epochs: int


def total_of(study: StudySpec) -> Total:
    """What a study asks for, search and confirmation together."""
    each = counts(study).values()
    return Total(sum(count.search + count.confirm for count in each), sum(count.epochs for count in each))


@dataclass(kw_only=True)
class Row:
    """One unit as it is watched."""

    unit: Unit
    state: str = "training"
    epoch: int = 0
    val_uar: float | None = None
    detail: str = ""
    started: float = 0.0
    since: str = ""
    seconds: float = 0.0
    host: str = field(default_factory=gethostname)
    tested: int = 0
    heard: float = 0.0

    @property
    def share(self) -> float:
        """Share of the unit's work that is done while it runs; testing counts as one tenth."""
        return 0.9 * self.epoch / self.epochs

    @property
    def epochs(self) -> int:
        """How far it is trained for now."""
        return self.unit.stop_after or self.unit.trial.training.epochs


class Progress:
    """Listens to events and shows them; use as a context manager around a run.

    An event costs the same however many trials the study has.

    Attributes:
        warnings: what libraries warned of in trials that have ended, and in how many.
    """

    def __init__(self, brain: Brain, total: Total, publisher: Publisher, console: Console, plain: bool) -> None:
        self.brain, self.total, self.publisher = brain, total, publisher
        self.console, self.plain = console, plain
        self.running: dict[str, Row] = {}
        self.recent: deque[Row] = deque(maxlen=SHOWN_ROWS)
        self.began = monotonic()
        self.testing: dict[str, list[float]] = dict(publisher.before.get("testing", {}))
        self.warnings = Counter[str]()
        self._ended: dict[str, int] = {}
        self._live = Live(self, console=console, refresh_per_second=2, transient=False)

    def __enter__(self) -> Progress:
        found = len(self.brain.recognised)
        if found:
            self.console.print(f"{found} of {self.total.units} trials are already finished and are not trained again.")
        if not self.plain:
            self._live.start()
        self.publisher.follow(self.brain, self.snapshot)
        return self

    def __exit__(self, *_: object) -> None:
        self.publisher.changed()
        if not self.plain:
            self._live.stop()

    def __call__(self, unit: Unit, event: Mapping[str, Any]) -> None:
        """One event of one unit."""
        row = self.running.setdefault(key(unit), Row(unit=unit, started=monotonic(), since=_now()))
        kind = event["kind"]
        row.host = str(event.get("host", row.host))
        if kind == "epoch":
            row.epoch, row.val_uar = int(event["epoch"]), float(event["val_uar"])
        elif kind == "stress":
            row.state, row.epoch = "testing", row.epochs
            row.detail = f"{event['clips']}/{event['total']} clips x {event['conditions']} conditions"
            self._time(row, int(event["clips"]), int(event["conditions"]))
        elif kind == "ended":
            self._end(row, event)
        if self.plain and kind in LINES:
            self.console.print(self._line(row, kind), highlight=False, markup=False)
        self.publisher.changed()

    def _time(self, row: Row, clips: int, conditions: int) -> None:
        """Add the time since the last event of the same test to the method's seconds for clips under conditions."""
        now = monotonic()
        if clips > row.tested > 0:
            seconds, shown = self.testing.get(row.unit.method, [0.0, 0.0])
            self.testing[row.unit.method] = [seconds + now - row.heard, shown + (clips - row.tested) * conditions]
        row.tested, row.heard = clips, now

    def _end(self, row: Row, event: Mapping[str, Any]) -> None:
        row.state = str(event.get("status", "failed"))
        row.detail, row.seconds = gist(str(event.get("error", "")), SHOWN_CHARACTERS), monotonic() - row.started
        self.warnings.update(event.get("warnings", []))
        self._ended[key(row.unit)] = row.epochs
        self.recent.append(self.running.pop(key(row.unit)))

    @property
    def ended(self) -> int:
        """Trials that need nothing more."""
        return len(self.brain.recognised) + len(self._ended)

    @property
    def remaining_seconds(self) -> float | None:
        """Time left at the pace of epochs so far; ``None`` before there is a pace."""
        units = self.brain.units
        found = sum(units[name].trial.training.epochs for name in list(self.brain.recognised))
        worked = sum(list(self._ended.values())) + sum(row.share * row.epochs for row in self._shown())
        left = max(0.0, self.total.epochs - found - worked)
        return (monotonic() - self.began) * left / worked if worked > 0.05 else None

    def snapshot(self) -> dict[str, Any]:
        """The present for other processes, see ``publisher``."""
        return {
            "total": self.total.units,
            "found": len(self.brain.recognised),
            "ended": self.ended,
            "elapsed_seconds": monotonic() - self.began,
            "remaining_seconds": self.remaining_seconds,
            "chosen": self.brain.chosen,
            "configurations": {
                method: [one.status for one in list(search.configurations.values())]
                for method, search in self.brain.searches.items()
            },
            "failed": {
                name: gist(error, TOLD_CHARACTERS) for name, error in list(self.brain.failed.items())[:TOLD_FAILURES]
            },
            "testing": self.testing,
            "running": [
                {
                    "key": key(row.unit),
                    "unit": row.unit.label,
                    "state": row.state,
                    "epoch": row.epoch,
                    "epochs": row.epochs,
                    "val_uar": row.val_uar,
                    "detail": row.detail,
                    "host": row.host,
                    "since": row.since,
                }
                for row in self._shown()
            ],
        }

    def _shown(self) -> list[Row]:
        """The running trials; a copy, because the display and the publisher are threads of their own."""
        return list(self.running.values())

    def _line(self, row: Row, kind: str) -> str:
        uar = "" if row.val_uar is None else f" val UAR {row.val_uar:.1%}"
        words = {
            "started": "starts",
            "epoch": f"epoch {row.epoch}/{row.epochs}{uar}",
            "ended": f"{row.state} {row.detail}",
        }
        so_far = f"[{clock(monotonic() - self.began)}] {self.ended}/{self.total.units}"
        return f"{so_far} {row.unit.label}: {words[kind].strip()}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        left = self.remaining_seconds
        pace = f", about {clock(left)} left" if left is not None else ""
        elapsed = clock(monotonic() - self.began)
        table = Table(title=f"{self.ended} of {self.total.units} trials, {elapsed} elapsed{pace}", title_justify="left")
        for name in ("method", "phase", "fold", "seed", "state", "epoch", "val UAR", "time", ""):
            table.add_column(name, justify="right" if name in {"fold", "seed", "epoch", "val UAR", "time"} else "left")
        running = self._shown()
        for row in [*list(self.recent)[-max(1, SHOWN_ROWS - len(running)) :], *running]:
            table.add_row(*_cells(row))
        yield table


def _cells(row: Row) -> tuple[Text, ...]:
    """As text, because what a trial says may hold brackets, which rich would take for markup."""
    unit = row.unit
    number = f" #{unit.configuration}" if unit.phase == "search" else ""
    colour = {"done": "green", "training": "cyan", "testing": "blue"}.get(row.state, "red")
    seconds = row.seconds or monotonic() - row.started
    return (
        Text(unit.method + number),
        Text(unit.phase),
        Text(str(unit.trial.fold)),
        Text(str(unit.trial.seed)),
        Text(row.state, style=colour),
        Text(f"{row.epoch}/{row.epochs}"),
        Text("" if row.val_uar is None else f"{row.val_uar:.1%}"),
        Text(clock(seconds)),
        Text(row.detail),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
