"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.paths import RunPaths

Study = Annotated[str, typer.Argument(help="A study file, or the name of a bundled study.")]
Out = Annotated[Path, typer.Option(help="The runs folder.")]
Plain = Annotated[bool, typer.Option("--plain", help="Log lines instead of a live table.")]
Local = Annotated[bool, typer.Option("--local", help="One trial after another in this process, without Ray.")]
Slots = Annotated[int, typer.Option(min=0, help="Trials at the same time; 0 for as many as the processors allow.")]
Address = Annotated[str, typer.Option(help="An existing Ray cluster, or 'local'.")]
Store = Annotated[str, typer.Option(help="Mirror results here: s3://bucket/runs, gs://..., file:///... .")]
Track = Annotated[
    Literal["tensorboard", "mlflow", "wandb", "none"], typer.Option(help="Where trainings can be watched.")
]

RUNS = Path("runs")


def run_of(study: str, out: Path) -> RunPaths:
    """Where a study's results lie."""
    from harness.spec.load import find_study, load_study

    return RunPaths(out, load_study(find_study(study)).name)


def run_at(folder: Path) -> RunPaths:
    """The run whose study folder this is, for example ``runs/quickstart``."""
    absolute = folder.absolute()
    return RunPaths(absolute.parent, absolute.name)
