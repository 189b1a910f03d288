"""A forecast for people: the trials, what each method costs, and what goes on storage."""

from __future__ import annotations

from math import ceil

from rich.table import Table
from rich.text import Text

from harness.schedule.clock import clock
from harness.schedule.forecasting.costs import START_SECONDS, MethodCosts
from harness.schedule.forecasting.size import size
from harness.schedule.operate.wanted import Found, Wanted
from harness.spec.study import StudySpec

SHOWN_TRIALS = 40
BUSY = 1.5
"""Trainings that searches reckon with at once for each slot, so that it hardly waits (``benchmarks/slot_use.py``)."""
NAMES = {"done": "yes", "untested": "trained", "missing": "", "halted": "halted early"}


def trials_table(study: StudySpec, found: dict[Wanted, Found]) -> Table:
    """The trials that are known now; configurations that a search has yet to ask have no id."""
    table = Table(title="Trials known now; a search asks for more as it goes", title_justify="left")
    for name in ("method", "phase", "fold", "seed", "trial", "on storage"):
        table.add_column(name)
    for one, seen in list(found.items())[:SHOWN_TRIALS]:
        number = f" #{one.configuration}" if one.phase == "search" else ""
        table.add_row(
            Text(one.method + number),
            one.phase,
            str(one.fold),
            str(one.seed),
            one.trial_id,
            NAMES.get(seen.state, seen.state),
        )
    if len(found) > SHOWN_TRIALS:
        table.add_row(f"and {len(found) - SHOWN_TRIALS:,} more")
    chosen = {one.method for one in found if one.phase == "confirm"}
    for name, method in study.methods.items():
        if method.search and name not in chosen:
            table.add_row(Text(name), "confirm", "all", "all", "chosen by the search")
    return table


def costs_table(study: StudySpec, costs: list[MethodCosts], slots: int, *, over: bool) -> Table:
    """Trials, epochs and time per method, and what of it remains; of a search that is over, what it did ask for."""
    table = Table(title_justify="left")
    numbers = ["search\ntrials", "confirm\ntrials", "done", "epochs", "seconds\nan epoch", "time", "left"]
    gpus = any(each.gpus for each in costs)
    table.add_column("method")
    for name in (*numbers, *(["GPU hours\nleft"] if gpus else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for each in costs:
        cells = (
            str(each.count.search),
            str(each.count.confirm),
            str(each.done.search + each.done.confirm),
            str(each.count.epochs),
            f"{each.each.confirm_epoch:.3g}",
            clock(each.seconds),
            clock(each.left_seconds),
        )
        table.add_row(Text(each.method), *cells, *([f"{each.gpu_hours:.1f}"] if gpus else []))
    table.title = _title(study, costs, slots, over)
    return table


def basis_line(costs: list[MethodCosts]) -> str:
    """What the times are taken from."""
    return f"Times: {'; '.join(f'{each.method}: {each.each.basis}' for each in costs)}."


def storage_line(costs: list[MethodCosts], pack_bytes: int, packed: bool) -> str:
    """What goes on storage."""
    trials = size(round(sum(each.num_bytes for each in costs)))
    clips = (
        f"{size(pack_bytes)} of packed clips, there already"
        if packed
        else f"at most {size(pack_bytes)} of packed clips"
    )
    return f"Storage: {trials} for trials (weights, predictions), {clips}."


def slots_line(study: StudySpec, slots: int) -> str:
    """What keeps slots busy that would wait while searches decide; empty if they would not, or nothing is searched."""
    searched = sum(bool(method.search) for method in study.methods.values())
    if study.search is None or not searched:
        return ""
    wanted = ceil(BUSY * slots / searched)
    if study.search.parallel >= wanted:
        return ""
    return (
        f"Slots: search.parallel is {study.search.parallel}; of {slots} slots some will wait. {wanted} keeps them busy."
    )


def _title(study: StudySpec, costs: list[MethodCosts], slots: int, over: bool) -> str:
    trials = sum(each.count.search + each.count.confirm for each in costs)
    done = sum(each.done.search + each.done.confirm for each in costs)
    work, left = sum(each.seconds for each in costs), sum(each.left_seconds for each in costs)
    wall = left / slots + START_SECONDS if left else 0.0
    most = "At most " if any(each.count.search for each in costs) and not over else ""
    rest = f"what is left takes about {clock(wall)} on {slots} slots" if left else "nothing is left"
    return (
        f"{most}{trials} trials, {len(study.stress.conditions)} conditions (clean included): about {clock(work)} of "
        f"work. {done} are done; {rest}."
    )
