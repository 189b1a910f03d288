"""The command line: parse, call one function, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness import __version__
from harness.cli import cluster_verbs, data_verbs, report_verbs, run_verbs, study_verbs
from harness.errors import HarnessError
from harness.tables.storage import storage

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Honest, fast, reproducible comparison of dynamic facial expression recognition methods.",
)
app.command()(study_verbs.quickstart)
app.command()(study_verbs.run)
app.command()(study_verbs.plan)
app.command()(run_verbs.status)
app.command()(run_verbs.stop)
app.command()(run_verbs.retry)
app.command()(run_verbs.clean)
app.add_typer(cluster_verbs.launch, name="launch")
app.command()(cluster_verbs.submit)
app.command()(report_verbs.report)
app.command()(report_verbs.compare)
app.command()(report_verbs.power)
app.command()(report_verbs.leaderboard)
app.command()(report_verbs.across)
app.command()(report_verbs.export)
app.command()(report_verbs.entry)
app.command()(report_verbs.validate)
app.command(name="list")(study_verbs.list_plugins)
app.command()(data_verbs.gallery)
app.add_typer(data_verbs.app, name="data")


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        with storage(Path.cwd()):
            app()
    except HarnessError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Print the version if asked to."""
    if show:
        typer.echo(f"dferbench {__version__}")
        raise typer.Exit
