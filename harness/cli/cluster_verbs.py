"""Verbs about clusters: manifests that start one for a study, and sending a study to one that exists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from harness.cli.arguments import Slots, Store, Study, Track

if TYPE_CHECKING:
    from harness.schedule.cluster.launch.manifest import Kind

launch = typer.Typer(no_args_is_help=True, help="Write what starts a cluster for a study: read it, then hand it over.")

Nodes = Annotated[int, typer.Option(help="Machines that run trials.", min=1)]
Hours = Annotated[int, typer.Option(help="After which the cluster is given back, finished or not.", min=1)]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; printed if not given.")]
RunsThere = Annotated[str, typer.Option(help="The runs folder as the machines see it.")]
CacheThere = Annotated[str, typer.Option(help="DFERBENCH_CACHE as the machines see it.")]
Image = Annotated[str, typer.Option(help="Container image with dferbench in it.")]
Setup = Annotated[str, typer.Option(help="A shell line that makes the command dferbench available.")]


@launch.command()
def slurm(  # noqa: PLR0913 - an option each
    context: typer.Context,
    study: Study,
    output: Output = None,
    nodes: Nodes = 1,
    slots: Slots = 0,
    hours: Hours = 24,
    out: RunsThere = "runs",
    cache: CacheThere = "",
    store: Store = "",
    setup: Setup = "",
    partition: str = "",
    account: str = "",
) -> None:
    """Write an sbatch script: it starts Ray, runs the study, and requeues itself before its time is up."""
    environment = os.environ.get("VIRTUAL_ENV", "")
    _write(
        "slurm",
        context.params
        | {
            "out": str(Path(out).absolute()),
            "cache": cache or os.environ.get("DFERBENCH_CACHE", ""),
            "setup": setup or (f"source '{environment}/bin/activate'" if environment else ""),
        },
    )


@launch.command()
def kuberay(  # noqa: PLR0913 - an option each
    context: typer.Context,
    study: Study,
    image: Image = "",
    claim: Annotated[str, typer.Option(help="A persistent volume claim that all pods can write.")] = "",
    mount: Annotated[str, typer.Option(help="Where it is mounted; data set roots lie below it.")] = "/mnt/dferbench",
    output: Output = None,
    nodes: Nodes = 1,
    slots: Slots = 0,
    hours: Hours = 24,
    out: RunsThere = "runs",
    cache: CacheThere = "",
    store: Store = "",
) -> None:
    """Write a RayJob for Kubernetes with KubeRay, with the study inside."""
    _write("kuberay", context.params)


@launch.command()
def ray_up(  # noqa: PLR0913 - an option each
    context: typer.Context,
    study: Study,
    provider: Annotated[Literal["aws", "gcp", "local"], typer.Option(help="local: machines that exist.")] = "aws",
    region: str = "",
    machine: Annotated[str, typer.Option(help="Type of the worker machines.")] = "",
    head: Annotated[str, typer.Option(help="Address of the first machine, for local.")] = "",
    worker: Annotated[list[str] | None, typer.Option(help="Address of another machine, for local.")] = None,
    user: Annotated[str, typer.Option(help="Who logs in.")] = "ubuntu",
    image: Image = "",
    setup: Setup = "",
    output: Output = None,
    nodes: Nodes = 1,
    slots: Slots = 0,
    out: RunsThere = "runs",
    cache: CacheThere = "",
    store: Store = "",
) -> None:
    """Write a cluster file for ``ray up``: machines of a cloud, or machines that exist and can be reached by SSH."""
    workers = tuple(worker or ())
    _write("ray-up", context.params | {"workers": workers, "nodes": nodes if nodes > 1 else max(1, len(workers))})


def _write(kind: Kind, given: Mapping[str, Any]) -> None:
    """Write, or print, what a command was given the options for; they are called as ``LaunchOptions`` calls them."""
    from harness.spec.load import find_study, load_study

    file = find_study(given["study"])
    from harness.plan import check
    from harness.schedule.cluster.launch.manifest import LaunchOptions, manifest
    from harness.tables.store import write_text

    spec = load_study(file)
    check(spec, str(file))
    options = {field.name: given[field.name] for field in fields(LaunchOptions) if field.name in given}
    text, output = manifest(kind, spec, file, LaunchOptions(**options)), given["output"]
    if output is None:
        typer.echo(text, nl=False)
        return
    write_text(text, output)
    typer.echo(f"Wrote {output}; its first lines say how to start it.")


def submit(  # noqa: PLR0913 - an option each
    study: Study,
    address: Annotated[str, typer.Option(help="Of the cluster's job server, such as http://127.0.0.1:8265.")],
    out: RunsThere = "runs",
    store: Store = "",
    slots: Slots = 0,
    track: Track = "tensorboard",
    include: Annotated[list[Path] | None, typer.Option(help="A file or folder that travels with the study.")] = None,
    wait: Annotated[bool, typer.Option(help="Follow the log until it ends; its exit code is this one's.")] = True,
) -> None:
    """Send a study to a Ray cluster that exists, with this very program; data stays where it is.

    A cluster that asks for a token finds it in RAY_AUTH_TOKEN, in the file that RAY_AUTH_TOKEN_PATH names, or in
    ~/.ray/auth_token.
    """
    from harness.spec.load import find_study

    file = find_study(study)
    from harness.schedule.cluster.ray_submit import Submission, send

    sent = Submission(
        address=address, file=file, out=out, store=store, slots=slots, track=track, include=tuple(include or ())
    )
    try:
        code = send(sent, wait=wait, say=typer.echo)
    except KeyboardInterrupt:
        typer.echo("The study goes on there. The same command follows it again once it has ended.", err=True)
        raise typer.Exit(130) from None
    raise typer.Exit(code)
