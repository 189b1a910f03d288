"""Verbs about data sets and about what perturbations do to their clips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.arguments import Study, file_of

app = typer.Typer(no_args_is_help=True, help="Make, inspect and pack data sets.")


@app.command()
def synthesize(
    size: Annotated[str, typer.Option(help="tiny, small or medium.")] = "tiny",
    seed: Annotated[int, typer.Option(help="Another seed is another data set.")] = 0,
    root: Annotated[Path | None, typer.Option(help="Where to write it; the cache folder if not given.")] = None,
) -> None:
    """Draw the embedded data set: synthetic expressive faces as h264 video in DFEW's layout."""
    from rich.console import Console

    from harness.schedule.data_verbs import synthesize_shown

    typer.echo(synthesize_shown(size, seed, root, Console()))


@app.command()
def inspect(
    root: Annotated[Path, typer.Argument(help="The folder of a data set.")],
    dataset: Annotated[str | None, typer.Option(help="Its reader; found out if not given.")] = None,
    decode: Annotated[bool, typer.Option(help="Look at every clip: damage, lengths, near-duplicates.")] = True,
) -> None:
    """Say what lies in a folder: layout, counts beside the known ones, damage, near-duplicates across folds."""
    from rich.console import Console

    from harness.schedule.data_verbs import inspect_shown

    typer.echo(inspect_shown(root, dataset, decode, Console()), nl=False)


@app.command()
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
def frames(
    study: Study,
    out: Annotated[Path, typer.Option(help="Folder of the tables, one for each fold and seed.")] = Path("frames"),
    fold: Annotated[list[int] | None, typer.Option(help="Folds; the study's own if not given.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Seeds; the study's own if not given.")] = None,
    epochs: Annotated[int | None, typer.Option(min=0, help="Epochs; the longest training's if not given.")] = None,
) -> None:
    """Write down which frames of which clip a study's trainings read in each epoch, without training."""
    from rich.console import Console

    from harness.schedule.drawn_frames import frames_shown

    for file in frames_shown(str(file_of(study)), fold or [], seed or [], epochs, out, Console()):
        typer.echo(file)


def gallery(
    names: Annotated[list[str] | None, typer.Argument(help="Perturbations or suites; the core suite if none.")] = None,
    video: Annotated[Path | None, typer.Option(help="The clip; one of the embedded data set if not given.")] = None,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder that gets a PNG for each perturbation, and index.html.")
    ] = Path("gallery"),
    pictures: Annotated[bool, typer.Option("--pictures", help="A small WebP of each instead, as in the docs.")] = False,
) -> None:
    """Draw contact sheets: what each perturbation does to a clip at each severity."""
    from harness.schedule.data_verbs import gallery_shown

    typer.echo(gallery_shown(names or [], video, out, pictures))
