"""Verbs about runs that exist: how far they are, ending them, trying again, tidying up."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from harness.cli.arguments import RUNS, Out, Study, run_of


def status(
    study: Study,
    out: Out = RUNS,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until the study ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how far a study is, while it runs or afterwards, also from another shell."""
    from rich.console import Console

    from harness.schedule.operate.status_text import show_status

    try:
        show_status(run_of(study, out), Console(soft_wrap=True), as_json=as_json, watch=watch)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def stop(
    study: Study,
    out: Out = RUNS,
    timeout: Annotated[float, typer.Option(help="Seconds to wait until it has ended.", min=0)] = 60.0,
) -> None:
    """End the run of a study; finished trials are kept, and the same run command goes on from there."""
    from harness.schedule.operate.stop import stop as stop_driver

    typer.echo(f"Stopped {stop_driver(run_of(study, out), timeout)}. Finished trials are kept.")


def retry(
    study: Study,
    out: Out = RUNS,
    failed: Annotated[bool, typer.Option(help="Trials that ended with an error.")] = True,
    diverged: Annotated[bool, typer.Option(help="Trials whose loss stopped being finite.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Run the study afterwards.")] = False,
) -> None:
    """Forget failed trials, so that the next run tries them again."""
    from harness.schedule.operate.retrying import clear

    paths = run_of(study, out)
    cleared = clear(paths, failed=failed, diverged=diverged)
    for one in (*cleared.failed, *cleared.diverged):
        typer.echo(f"{one.label} ({one.trial_id})")
    typer.echo(f"{len(cleared.failed)} failed and {len(cleared.diverged)} diverged trials will be tried again.")
    if run:
        from harness.cli.study_verbs import run as run_study

        run_study(study, out=paths.root)
    elif any(cleared):
        typer.echo(f"Run the study again: dferbench run {study} --out {paths.root}")


def clean(
    study: Annotated[str | None, typer.Argument(help="Only what belongs to this study; all of --out if none.")] = None,
    out: Out = RUNS,
    units: Annotated[bool, typer.Option("--units", help="Also trials that no study in the folder asks for.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it nothing is touched.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List what nothing needs any more, and what deleting it would free; with --yes, delete it."""
    from harness.schedule.operate.cleaning import clean as tidy
    from harness.schedule.operate.cleaning import listing

    run = None if study is None else run_of(study, out)
    found = tidy(out if run is None else run.root, run, units=units, delete=yes)
    typer.echo(json.dumps([item.content() for item in found], indent=1) if as_json else listing(found, deleted=yes))
