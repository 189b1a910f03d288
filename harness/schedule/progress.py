"""Live progress of a study: a table of trials, or plain log lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.table import Table

from harness.plan import Unit
from harness.schedule.brain import Brain, key

SHOWN_ROWS = 24


@dataclass(kw_only=True)
class Row:
    """One unit as it is watched."""

    unit: Unit
    state: str = "waiting"
    epoch: int = 0
    val_uar: float | None = None
    detail: str = ""
    started: float = 0.0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Share of the unit's work that is done; testing counts as one tenth."""
        if self.state in {"done", "found", "failed", "diverged"}:
            return 1.0
        return 0.9 * self.epoch / self.unit.trial.training.epochs


class Progress:
    """Listens to events and shows them; use as a context manager around a run."""

    def __init__(self, brain: Brain, total: int, console: Console, plain: bool) -> None:
        self.brain, self.total, self.console, self.plain = brain, total, console, plain
        self.rows: dict[str, Row] = {}
        self.began = monotonic()
        self._live = Live(self, console=console, refresh_per_second=2, transient=False)

    def __enter__(self) -> Progress:
        found = len(self.brain.recognised)
        if found:
            self.console.print(f"{found} of {self.total} trials are already finished and are not trained again.")
        if not self.plain:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.plain:
            self._live.stop()

    def __call__(self, unit: Unit, event: Mapping[str, Any]) -> None:
        """One event of one unit."""
        row = self.rows.setdefault(key(unit), Row(unit=unit))
        kind = event["kind"]
        if kind == "started":
            row.state, row.started = "training", monotonic()
        elif kind == "epoch":
            row.epoch, row.val_uar = int(event["epoch"]), float(event["val_uar"])
        elif kind == "stress":
            row.state, row.epoch = "testing", unit.trial.training.epochs
            row.detail = f"{event['clips']}/{event['total']} clips x {event['conditions']} conditions"
        elif kind == "ended":
            row.state = str(event.get("status", "failed"))
            row.detail, row.seconds = str(event.get("error", ""))[-200:], monotonic() - row.started
        if self.plain and kind != "stress":
            self.console.print(self._line(row, kind), highlight=False, markup=False)

    @property
    def ended(self) -> int:
        """Trials that need nothing more."""
        return len(self.brain.recognised) + sum(row.share == 1.0 for row in self.rows.values())

    @property
    def remaining_seconds(self) -> float | None:
        """Time left at the pace so far; ``None`` before there is a pace."""
        worked = sum(row.share for row in self.rows.values())
        left = self.total - len(self.brain.recognised) - worked
        elapsed = monotonic() - self.began
        return elapsed * left / worked if worked > 0.05 else None

    def _line(self, row: Row, kind: str) -> str:
        epochs = row.unit.trial.training.epochs
        uar = "" if row.val_uar is None else f" val UAR {row.val_uar:.1%}"
        words = {"started": "starts", "epoch": f"epoch {row.epoch}/{epochs}{uar}", "ended": f"{row.state} {row.detail}"}
        return f"[{clock(monotonic() - self.began)}] {self.ended}/{self.total} {row.unit.label}: {words[kind].strip()}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        left = self.remaining_seconds
        pace = f", about {clock(left)} left" if left is not None else ""
        elapsed = clock(monotonic() - self.began)
        table = Table(title=f"{self.ended} of {self.total} trials, {elapsed} elapsed{pace}", title_justify="left")
        for name in ("method", "phase", "fold", "seed", "state", "epoch", "val UAR", "time", ""):
            table.add_column(name, justify="right" if name in {"fold", "seed", "epoch", "val UAR", "time"} else "left")
        for row in list(self.rows.values())[-SHOWN_ROWS:]:
            table.add_row(*_cells(row))
        yield table


def _cells(row: Row) -> tuple[str, ...]:
    unit = row.unit
    number = f" #{unit.configuration}" if unit.phase == "search" else ""
    colour = {"done": "green", "training": "cyan", "testing": "blue"}.get(row.state, "red")
    seconds = row.seconds or (monotonic() - row.started if row.started else 0.0)
    return (
        unit.method + number,
        unit.phase,
        str(unit.trial.fold),
        str(unit.trial.seed),
        f"[{colour}]{row.state}[/{colour}]",
        f"{row.epoch}/{unit.trial.training.epochs}",
        "" if row.val_uar is None else f"{row.val_uar:.1%}",
        clock(seconds),
        row.detail,
    )


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss.

    >>> clock(3723.0)
    '1:02:03'
    """
    return str(timedelta(seconds=round(seconds)))
