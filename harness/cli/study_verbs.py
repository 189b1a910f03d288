"""Verbs that run studies."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from harness.cli.arguments import RUNS, Address, Local, Out, Plain, Slots, Store, Study, Track, file_of, runs_of


def quickstart(out: Out = RUNS, plain: Plain = False, local: Local = False) -> None:
    """Run the bundled quickstart study on the embedded data set: a few minutes on two processors."""
    _run("quickstart", local, plain, out=out)


def run(  # noqa: PLR0913 - an option each
    study: Study,
    out: Out = RUNS,
    plain: Plain = False,
    local: Local = False,
    slots: Slots = 0,
    address: Address = "local",
    store: Store = "",
    track: Track = "tensorboard",
) -> None:
    """Run a study: train, test and report. The same command again goes on where the last one stopped."""
    _run(study, local, plain, out=runs_of(study, out), slots=slots, address=address, store=store, track=track)


def _run(study: str, local: bool, plain: bool, **where: Any) -> None:
    from harness.schedule.signals import interrupt_on_sigterm

    interrupt_on_sigterm()
    try:
        code = _run_to_its_end(study, local, plain, **where)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Finished trials are kept; the same command goes on from here.", err=True)
        code = 130
    raise typer.Exit(code)


def _run_to_its_end(study: str, local: bool, plain: bool, **where: Any) -> int:
    """Run a study and print what became of it; the exit code."""
    file = file_of(study)
    from rich.console import Console

    from harness.schedule.making import Executor, RunOptions
    from harness.schedule.outcome import print_outcome
    from harness.schedule.run import run_study

    console = Console(soft_wrap=True)
    executor: Executor = "local" if local else "ray"
    plain = plain or not console.is_terminal
    options = RunOptions(executor=executor, plain=plain, **where)
    return print_outcome(run_study(file, options, console), console)


def plan(study: Study, out: Out = RUNS, slots: Slots = 0) -> None:
    """Check a study and show its trials, what is already done, and an estimate of time, without training."""
    file = file_of(study)
    from rich.console import Console

    from harness.schedule.forecasting.forecast import forecast

    forecast(file, runs_of(study, out), slots, Console(soft_wrap=True))


def list_plugins(
    kind: Annotated[
        str, typer.Argument(help="models, perturbations, suites, objectives, datasets, metrics, spaces or studies.")
    ],
) -> None:
    """List what a study can name."""
    from harness.train.catalogue import lines

    typer.echo("\n".join(lines(kind)))
