"""Verbs about clusters: manifests that start one for a study, and sending a study to one that exists."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from harness.cli.arguments import Slots, Store, Study, Track, file_of

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
Verb = TypeVar("Verb", bound=Callable[..., None])


def _of_every_kind(  # noqa: PLR0913 - an option each
    study: Study,
    output: Output = None,
    nodes: Nodes = 1,
    slots: Slots = 0,
    hours: Hours = 24,
    out: RunsThere = "runs",
    cache: CacheThere = "",
    store: Store = "",
) -> None:
    """What every kind of launch is told; only the signature counts."""


def _launch_verb(*, without: str = "", shared_first: bool = False) -> Callable[[Verb], Verb]:
    """Make a function a launch verb that takes what every kind is told, apart from ``without``, beside its own options.

    Help lists the verb's own options first, unless ``shared_first``.
    """

    def register(verb: Verb) -> Verb:
        shared = [one for one in signature(_of_every_kind, eval_str=True).parameters.values() if one.name != without]
        own = [one for one in signature(verb, eval_str=True).parameters.values() if one.kind is not one.VAR_KEYWORD]
        together = [*shared, *own] if shared_first else [*own, *shared]
        named = [one.replace(kind=one.KEYWORD_ONLY) for one in together]
        verb.__signature__ = Signature(named)  # type: ignore[attr-defined]  # where inspect, and so typer, looks first
        return launch.command()(verb)

    return register


@_launch_verb(shared_first=True)
def slurm(context: typer.Context, setup: Setup = "", partition: str = "", account: str = "", **shared: Any) -> None:
    """Write an sbatch script: it starts Ray, runs the study, and requeues itself before its time is up."""
    environment = os.environ.get("VIRTUAL_ENV", "")
    _write(
        "slurm",
        context.params
        | {
            "out": str(Path(shared["out"]).absolute()),
            "cache": shared["cache"] or os.environ.get("DFERBENCH_CACHE", ""),
            "setup": setup or (f"source {shlex.quote(f'{environment}/bin/activate')}" if environment else ""),
        },
    )


@_launch_verb()
def kuberay(
    context: typer.Context,
    image: Image = "",
    claim: Annotated[str, typer.Option(help="A persistent volume claim that all pods can write.")] = "",
    mount: Annotated[str, typer.Option(help="Where it is mounted; data set roots lie below it.")] = "/mnt/dferbench",
    **shared: Any,
) -> None:
    """Write a RayJob for Kubernetes with KubeRay, with the study inside."""
    _write("kuberay", context.params)


@_launch_verb(without="hours")
def ray_up(  # noqa: PLR0913 - an option each
    context: typer.Context,
    provider: Annotated[Literal["aws", "gcp", "local"], typer.Option(help="local: machines that exist.")] = "aws",
    region: str = "",
    machine: Annotated[str, typer.Option(help="Type of the worker machines.")] = "",
    head: Annotated[str, typer.Option(help="Address of the first machine, for local.")] = "",
    worker: Annotated[list[str] | None, typer.Option(help="Address of another machine, for local.")] = None,
    user: Annotated[str, typer.Option(help="Who logs in.")] = "ubuntu",
    image: Image = "",
    setup: Setup = "",
    **shared: Any,
) -> None:
    """Write a cluster file for ``ray up``: machines of a cloud, or machines that exist and can be reached by SSH."""
    workers, nodes = tuple(worker or ()), shared["nodes"]
    _write("ray-up", context.params | {"workers": workers, "nodes": nodes if nodes > 1 else max(1, len(workers))})


def _write(kind: Kind, given: Mapping[str, Any]) -> None:
    """Write, or print, what a command was given the options for; they are called as ``LaunchOptions`` calls them."""
    file = file_of(given["study"])
    from harness.plan import check
    from harness.schedule.cluster.launch.manifest import LaunchOptions, manifest
    from harness.spec.load import load_study
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
    file = file_of(study)
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
