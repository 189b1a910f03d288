"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.paths import RunPaths

Study = Annotated[str, typer.Argument(help="A study file, a bundled study, or a study's folder such as runs/mine.")]
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


def file_of(study: str) -> Path:
    """The file of a study: itself, a bundled one, or the one in a study's folder.

    Raises:
        HarnessError: if there is none.
    """
    from harness.spec.load import find_study

    kept = run_at(Path(study)).study_file
    return kept if kept.is_file() else find_study(study)


def runs_of(study: str, out: Path) -> Path:
    """The runs folder that is meant: the one that a study's folder lies in, unless another is asked for."""
    return run_at(Path(study)).root if out == RUNS and Path(study).is_dir() else out


def run_of(study: str, out: Path) -> RunPaths:
    """Where a study's results lie: in the folder that is given, or in the one that a study's name has in ``out``."""
    from harness.spec.load import load_study

    if Path(study).is_dir():
        return run_at(Path(study))
    return RunPaths(out, load_study(file_of(study)).name)


def run_at(folder: Path) -> RunPaths:
    """The run whose study folder this is, for example ``runs/quickstart``."""
    absolute = folder.absolute()
    return RunPaths(absolute.parent, absolute.name)
