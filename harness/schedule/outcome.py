"""What a person sees when a study is over."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown

from harness.schedule.forecasting.size import size
from harness.schedule.making import Ended


def print_outcome(ended: Ended, console: Console) -> int:
    """Print the leaderboard, where the report is, and what failed; the exit code (1 if any trial failed)."""
    console.print()
    markdown = ended.outputs.markdown
    console.print(Markdown(markdown) if console.is_terminal else markdown, markup=False, highlight=False)
    console.print()
    console.print(f"{ended.trained} trials trained now, {ended.recognised} found finished.")
    if ended.freed:
        num_bytes, count = size(sum(ended.freed.values())), len(ended.freed)
        console.print(f"Freed {num_bytes}: states of {count} training{'s' * (count > 1)} that the search gave up.")
    console.print(f"Report: {ended.outputs.html_path.absolute()}", highlight=False)
    for warning, trials in sorted(ended.warnings.items()):
        where = f"{trials} trial{'s' * (trials > 1)}"
        console.print(f"warned in {where}: {warning}", style="yellow", markup=False, highlight=False)
    for name, error in sorted(ended.failed.items()):
        console.print(f"failed: {name}: {error}", style="red", markup=False, highlight=False)
    return 1 if ended.failed else 0
