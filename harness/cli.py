"""The command line: parse, call one function, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness import __version__
from harness.errors import HarnessError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Honest, fast, reproducible comparison of dynamic facial expression recognition methods.",
)
data_app = typer.Typer(no_args_is_help=True, help="Make, inspect and pack data sets.")
app.add_typer(data_app, name="data")

Study = Annotated[str, typer.Argument(help="A study file, or the name of a bundled study.")]
Out = Annotated[Path, typer.Option(help="The runs folder.")]
Plain = Annotated[bool, typer.Option("--plain", help="Log lines instead of a live table.")]
Local = Annotated[bool, typer.Option("--local", help="One trial after another in this process, without Ray.")]
Slots = Annotated[int, typer.Option(help="Trials at the same time; 0 for as many as the processors allow.")]
Address = Annotated[str, typer.Option(help="An existing Ray cluster, or 'local'.")]


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
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


@app.command()
def quickstart(out: Out = Path("runs"), plain: Plain = False, local: Local = False) -> None:
    """Run the bundled quickstart study on the embedded data set: a few minutes on two processors."""
    _run("quickstart", out, plain, local)


@app.command()
def run(
    study: Study,
    out: Out = Path("runs"),
    plain: Plain = False,
    local: Local = False,
    slots: Slots = 0,
    address: Address = "local",
) -> None:
    """Run a study: train, test and report. The same command again goes on where the last one stopped."""
    _run(study, out, plain, local, slots, address)


def _run(study: str, out: Path, plain: bool, local: bool, slots: int = 0, address: str = "local") -> None:
    from rich.console import Console

    from harness.schedule.outcome import print_outcome
    from harness.schedule.run import Executor, RunOptions, run_study
    from harness.spec.load import find_study

    console = Console(soft_wrap=True)
    executor: Executor = "local" if local else "ray"
    plain = plain or not console.is_terminal
    options = RunOptions(out=out, executor=executor, slots=slots, address=address, plain=plain)
    try:
        ended = run_study(find_study(study), options, console)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Finished trials are kept; the same command goes on from here.", err=True)
        raise typer.Exit(130) from None
    raise typer.Exit(print_outcome(ended, console))


@app.command()
def plan(study: Study, out: Out = Path("runs"), slots: Slots = 0) -> None:
    """Check a study and show its trials, what is already done, and an estimate of time, without training."""
    from rich.console import Console

    from harness.schedule.forecast import forecast
    from harness.spec.load import find_study

    forecast(find_study(study), out, slots, Console(soft_wrap=True))


@app.command()
def report(study: Study, out: Out = Path("runs")) -> None:
    """Make the leaderboard and report.html of a run again from its stored predictions."""
    from harness.paths import RunPaths
    from harness.report.build import build
    from harness.spec.load import find_study, load_study

    outputs = build(RunPaths(out, load_study(find_study(study)).name))
    typer.echo(f"{outputs.markdown}\n{outputs.html_path}")


@app.command(name="list")
def list_plugins(
    kind: Annotated[str, typer.Argument(help="models, perturbations, objectives, datasets, metrics or studies.")],
) -> None:
    """List what a study can name."""
    from harness.train.catalogue import lines

    typer.echo("\n".join(lines(kind)))


@data_app.command()
def synthesize(
    size: Annotated[str, typer.Option(help="tiny, small or medium.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Another seed is another data set.")] = 0,
    root: Annotated[Path | None, typer.Option(help="Where to write it; the cache folder if not given.")] = None,
) -> None:
    """Draw the embedded data set: synthetic expressive faces as h264 video in DFEW's layout."""
    from rich.console import Console

    from harness.schedule.data_verbs import synthesize_shown

    typer.echo(synthesize_shown(size, seed, root, Console()))


@data_app.command()
def inspect(
    root: Annotated[Path, typer.Argument(help="The folder of a data set.")],
    dataset: Annotated[str | None, typer.Option(help="Its reader; found out if not given.")] = None,
    decode: Annotated[bool, typer.Option(help="Look at every clip: damage, lengths, near-duplicates.")] = True,
) -> None:
    """Say what lies in a folder: layout, counts beside the known ones, damage, near-duplicates across folds."""
    from rich.console import Console

    from harness.schedule.data_verbs import inspect_shown

    typer.echo(inspect_shown(root, dataset, decode, Console()), nl=False)


@data_app.command()
def pack(
    dataset: Annotated[str, typer.Argument(help="A data set, as a study names it.")],
    root: Annotated[Path | None, typer.Option(help="Where it lies.")] = None,
    size: Annotated[int, typer.Option(help="Side length in pixels.")] = 112,
    max_frames: Annotated[int, typer.Option(help="Frames kept of longer clips.")] = 96,
) -> None:
    """Decode every clip once into the memory-mapped store that trials read from."""
    from rich.console import Console

    from harness.schedule.data_verbs import pack_shown

    typer.echo(pack_shown(dataset, root, size, max_frames, Console()))


@app.command()
def gallery(
    names: Annotated[list[str] | None, typer.Argument(help="Perturbations or suites; the core suite if none.")] = None,
    video: Annotated[Path | None, typer.Option(help="The clip; one of the embedded data set if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Gets a PNG for each perturbation, and index.html.")] = Path("gallery"),
) -> None:
    """Draw contact sheets: what each perturbation does to a clip at each severity."""
    from harness.schedule.data_verbs import gallery_shown

    typer.echo(gallery_shown(names or [], video, out))


@app.command()
def compare(
    study: Study,
    out: Out = Path("runs"),
    baseline: Annotated[
        str | None, typer.Option(help="Compare the others with this method; all pairs if none.")
    ] = None,
    metric: Annotated[str, typer.Option(help="uar or war.")] = "uar",
    scope: Annotated[str, typer.Option(help="clean, perturbed, order, family:NAME or a condition.")] = "clean",
    by_group: Annotated[
        bool, typer.Option("--by-group", help="Resample groups (identities, films), not clips.")
    ] = False,
) -> None:
    """Compare the methods of a finished study: paired differences with intervals, tests and their limits."""
    from harness.paths import RunPaths
    from harness.report.comparison import compare as compare_methods
    from harness.report.comparison_question import Question
    from harness.spec.load import find_study, load_study

    question = Question(baseline=baseline, metric=metric, scope=scope, by_group=by_group)
    typer.echo(compare_methods(RunPaths(out, load_study(find_study(study)).name), question).markdown)


if __name__ == "__main__":
    main()
