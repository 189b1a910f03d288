"""Verbs about runs that exist: how far they are, ending them, trying again, tidying up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.arguments import RUNS, Out, run_at, run_of
from harness.paths import RunPaths

Target = Annotated[str, typer.Argument(help="A study file, a bundled study, or a study's folder such as runs/mine.")]


def status(
    study: Target,
    out: Out = RUNS,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until the study ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how far a study is, while it runs or afterwards, also from another shell."""
    from rich.console import Console

    from harness.schedule.operate.status_text import show_status

    try:
        show_status(_run(study, out), Console(soft_wrap=True), as_json=as_json, watch=watch)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def stop(
    study: Target,
    out: Out = RUNS,
    timeout: Annotated[float, typer.Option(help="Seconds to wait until it has ended.", min=0)] = 60.0,
) -> None:
    """End the run of a study; finished trials are kept, and the same run command goes on from there."""
    from harness.schedule.operate.stop import stop as stop_driver

    typer.echo(f"Stopped {stop_driver(_run(study, out), timeout)}. Finished trials are kept.")


def retry(
    study: Target,
    out: Out = RUNS,
    failed: Annotated[bool, typer.Option(help="Trials that ended with an error.")] = True,
    diverged: Annotated[bool, typer.Option(help="Trials whose loss stopped being finite.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Run the study afterwards.")] = False,
) -> None:
    """Forget failed trials, so that the next run tries them again."""
    from harness.schedule.operate.retrying import clear

    paths = _run(study, out)
    cleared = clear(paths, failed=failed, diverged=diverged)
    for one in (*cleared.failed, *cleared.diverged):
        typer.echo(f"{one.label} ({one.trial_id})")
    typer.echo(f"{len(cleared.failed)} failed and {len(cleared.diverged)} diverged trials will be tried again.")
    if run:
        from harness.cli.study_verbs import run as run_study

        run_study(str(paths.study_file) if Path(study).is_dir() else study, out=paths.root)
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

    run = None if study is None else _run(study, out)
    found = tidy(out if run is None else run.root, run, units=units, delete=yes)
    typer.echo(json.dumps([item.content() for item in found], indent=1) if as_json else listing(found, deleted=yes))


def _run(study: str, out: Path) -> RunPaths:
    """A study's run, by its folder or by its file."""
    folder = Path(study)
    return run_at(folder) if folder.is_dir() else run_of(study, out)
