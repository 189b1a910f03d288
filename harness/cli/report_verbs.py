"""Verbs that read finished runs; none of them needs torch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.arguments import RUNS, Out, Study, file_of, run_at, run_of
from harness.paths import RunPaths

RankedBy = Literal["clean", "perturbed"]
Run = Annotated[Path, typer.Argument(help="The folder of a finished study, for example runs/quickstart.")]


def _finished(study: str, out: Path) -> RunPaths:
    """The run of a study, with a warning on stderr where the file has changed since."""
    from harness.report.changed import changed_since_run

    run, file = run_of(study, out), file_of(study)
    if file == run.study_file:
        return run
    command = shlex.join(["dferbench", "run", study, *(["--out", str(out)] if out != RUNS else [])])
    if warning := changed_since_run(file, run, command):
        typer.echo(f"warning: {warning}", err=True)
    return run


def report(study: Study, out: Out = RUNS) -> None:
    """Make the leaderboard and report.html of a run again from its stored predictions."""
    from harness.report.build import build

    outputs = build(_finished(study, out))
    typer.echo(f"{outputs.markdown}\n{outputs.html_path}")


def compare(  # noqa: PLR0913 - each argument is an option of the verb
    study: Study,
    out: Out = RUNS,
    baseline: Annotated[
        str | None, typer.Option(help="Compare the others with this method; all pairs if none.")
    ] = None,
    metric: Annotated[str, typer.Option(help="uar or war.")] = "uar",
    scope: Annotated[
        str,
        typer.Option(help="clean, perturbed, order, family:NAME or a condition; :last or :best_on_test may follow."),
    ] = "clean",
    by_group: Annotated[
        bool, typer.Option("--by-group", help="Resample groups (identities, films), not clips.")
    ] = False,
    save: Annotated[Path | None, typer.Option(help="Folder that gets comparison.md, .csv and .tex.")] = None,
) -> None:
    """Compare the methods of a finished study: paired differences with intervals, tests and their limits."""
    from harness.report.comparison import compare as compare_methods
    from harness.report.comparison_files import write_comparison
    from harness.report.comparison_question import Question
    from harness.report.known_groups import require_groups

    run = _finished(study, out)
    if by_group:
        require_groups(run)
    question = Question(baseline=baseline, metric=metric, scope=scope, by_group=by_group)
    found = compare_methods(run, question)
    typer.echo(found.markdown)
    if save is not None:
        typer.echo("\n".join(map(str, write_comparison(found, save).values())))


def power(
    study: Study,
    out: Out = RUNS,
    clips: Annotated[
        int | None, typer.Option(min=1, help="Test clips of the planned study; the pilot's if not given.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=1, help="Folds of the planned study; the pilot's if not given.")
    ] = None,
) -> None:
    """Say how many seeds and folds a difference needs, from a finished pilot."""
    from harness.report.planning import power_report

    typer.echo(power_report(_finished(study, out), clips, folds))


def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished studies or entries of one data set.")],
    out: Annotated[Path, typer.Option(help="Gets leaderboard.md, .csv, .tex, .html, tables.")] = Path("leaderboard"),
    by: Annotated[RankedBy, typer.Option(help="Rank by UAR: clean, or perturbed (its mean).")] = "clean",
) -> None:
    """Merge any number of runs into one leaderboard: Markdown, CSV, LaTeX and HTML."""
    from harness.report.entry import run_or_entry
    from harness.report.merge import merge_leaderboards

    board = merge_leaderboards([run_or_entry(run) for run in runs], out, by=by)
    typer.echo(f"{board.markdown}\n{board.html_path}")


def across(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished studies or entries of different data sets.")],
    out: Annotated[Path, typer.Option(help="Gets across.md, .csv and .html.")] = Path("across"),
    scope: Annotated[str, typer.Option(help="clean or perturbed.")] = "clean",
) -> None:
    """Compare the methods that several data sets share; rank them where there are five data sets or more."""
    from harness.report.across import across as over_data_sets
    from harness.report.across_page import across_markdown, write_across
    from harness.report.entry import run_or_entry

    found = over_data_sets([run_or_entry(run) for run in runs], scope)
    typer.echo(f"{across_markdown(found)}\n{write_across(found, out)}")


def export(
    run: Run,
    out: Annotated[Path, typer.Option(help="Gets one CSV for each table.")] = Path("export"),
    predictions: Annotated[bool, typer.Option("--predictions", help="Also all logits, by far the largest.")] = False,
    figures: Annotated[bool, typer.Option("--figures", help="Also the report's figures as SVG.")] = False,
) -> None:
    """Write a run's tables as CSV, and those that a paper needs as LaTeX, too."""
    from harness.report.entry import run_or_entry
    from harness.report.export import export_tables
    from harness.report.figure_files import write_figures

    paths = run_or_entry(run)
    written = export_tables(paths, out, with_predictions=predictions)
    drawn = write_figures(paths, out / "figures") if figures else []
    typer.echo("\n".join(map(str, [*written, *drawn])))


def entry(
    run: Run,
    method: Annotated[str, typer.Argument(help="The method to enter.")],
    out: Annotated[Path, typer.Option(help="The entry's folder; must not exist.")] = Path("entry"),
    augmentation: Annotated[list[str] | None, typer.Option(help="What was done to training clips; repeatable.")] = None,
    contact: Annotated[str, typer.Option(help="Who answers for the entry.")] = "",
) -> None:
    """Write a method's leaderboard entry: manifest and predictions, to be merged elsewhere."""
    from harness.report.entry import export_entry

    typer.echo(export_entry(run_at(run), method, out, augmentation or (), contact))


def validate(
    folder: Annotated[Path, typer.Argument(help="The entry's folder.")],
    reference: Annotated[Path | None, typer.Option(help="A run that the entry must have the same clips as.")] = None,
) -> None:
    """Check a leaderboard entry: coverage, schema, clips, and its claims against its own predictions."""
    from harness.report.entry import run_or_entry
    from harness.report.validation import validate as validate_entry

    found = validate_entry(folder, run_or_entry(reference) if reference else None)
    lines = [f"{name}: {100 * score:.2f}" for name, score in found.scores.items()]
    typer.echo("\n".join(["valid", *lines, *(f"warning: {warning}" for warning in found.warnings)]))
