"""What a person sees when a study is over."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown

from harness.errors import gist
from harness.report.build import Outputs
from harness.schedule.forecasting.size import size
from harness.schedule.making import Ended

LONGEST = 1000
"""Characters of an error; whole tracebacks are beside the trials, see docs/running.md."""
NAMED = 3
"""Trials that are named of those that failed for one reason; the others are counted."""


def print_outcome(ended: Ended, console: Console) -> int:
    """Print the leaderboard, where the report is, and what failed; the exit code (1 if any trial failed)."""
    console.print()
    if ended.outputs:
        _print_board(ended.outputs, console)
    console.print(f"{ended.trained} trials trained now, {ended.recognised} found finished.")
    if ended.freed:
        num_bytes, count = size(sum(ended.freed.values())), len(ended.freed)
        console.print(f"Freed {num_bytes}: states of {count} training{'s' * (count > 1)} that the search gave up.")
    if ended.outputs:
        console.print(f"Report: {ended.outputs.html_path.absolute()}", highlight=False)
    else:
        console.print("No trial that would be reported has a result, so there is no report.", style="red")
    for warning, trials in sorted(ended.warnings.items()):
        where = f"{trials} trial{'s' * (trials > 1)}"
        console.print(f"warned in {where}: {warning}", style="yellow", markup=False, highlight=False)
    for line in failures(ended.failed):
        console.print(line, style="red", markup=False, highlight=False)
    return 1 if ended.failed else 0


def _print_board(outputs: Outputs, console: Console) -> None:
    text = outputs.markdown
    console.print(Markdown(text) if console.is_terminal else text, markup=False, highlight=False)
    console.print()


def failures(failed: dict[str, str]) -> list[str]:
    """A line for every reason: how many trials failed for it, the first of them, and the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, error in sorted(failed.items()):
        reason = gist(error, LONGEST) if "Traceback" in error else error.strip()
        by_reason.setdefault(reason, []).append(name)
    lines = []
    for reason, names in by_reason.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        lines.append(f"failed: {', '.join(names[:NAMED])}{more}: {reason}")
    return lines
