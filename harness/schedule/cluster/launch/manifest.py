"""A study as a manifest: what is asked of the cluster comes from the study, where things lie from the command line."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.errors import HarnessError
from harness.schedule.cluster.launch.shape import shape_of
from harness.spec.study import StudySpec

Kind = Literal["kuberay", "slurm", "ray-up"]
LONGEST_LABEL = 47 - len("dferbench-")
"""KubeRay refuses a RayJob whose name has more than 47 characters."""
TEMPLATES: dict[Kind, str] = {"kuberay": "rayjob.yaml.j2", "slurm": "slurm.sh.j2", "ray-up": "ray_up.yaml.j2"}


@dataclass(frozen=True, kw_only=True)
class LaunchOptions:
    """Where a study runs and where its results go.

    Attributes:
        nodes: machines.
        slots: trials at the same time; 0 for all folds and seeds of one method.
        hours: after which the cluster is given back, finished or not.
        out: the runs folder as the machines see it.
        cache: ``DFERBENCH_CACHE`` as the machines see it.
        store: where results are mirrored, such as ``s3://bucket/runs``; empty for nowhere.
        image: container image with dferbench in it.
        setup: a shell line that makes the command ``dferbench`` available.
        claim: Kubernetes: persistent volume claim that is mounted at ``mount``.
        mount: where the claim is mounted.
        partition: Slurm.
        account: Slurm.
        provider: ray up: aws, gcp or local (machines that exist).
        region: ray up.
        machine: ray up: type of the worker machines.
        head: ray up: address of the first machine, for local.
        workers: ray up: addresses of the other machines, for local.
        user: ray up: who logs in.
    """

    nodes: int = 1
    slots: int = 0
    hours: int = 24
    out: str = "runs"
    cache: str = ""
    store: str = ""
    image: str = ""
    setup: str = ""
    claim: str = ""
    mount: str = "/mnt/dferbench"
    partition: str = ""
    account: str = ""
    provider: Literal["aws", "gcp", "local"] = "aws"
    region: str = ""
    machine: str = ""
    head: str = ""
    workers: tuple[str, ...] = ()
    user: str = "ubuntu"


def manifest(kind: Kind, study: StudySpec, file: Path, options: LaunchOptions) -> str:
    """The manifest's text.

    Args:
        kind: what kind of cluster it is for.
        study: the study, checked.
        file: the file that it was read from.
        options: where it runs.

    Raises:
        HarnessError: if the cluster cannot be described with what is given.
    """
    for problem in _problems(kind, options):
        raise HarnessError(problem)
    shape = shape_of(study, options.nodes, options.slots)
    shared = options.mount if kind == "kuberay" else "/tmp"  # noqa: S108 - of a machine of one's own, made by ray up
    cache_folder = options.cache or ("" if kind == "slurm" else f"{shared}/dferbench-cache")
    out = options.out if kind == "slurm" or Path(options.out).is_absolute() else f"{shared}/{options.out}"
    place = f"--address auto --plain --out {shlex.quote(out)} --slots {shape.slots}"
    mirrored = f" --store {shlex.quote(options.store)}" if options.store else ""
    given: dict[str, Any] = {
        **asdict(options),
        "name": label(study.name),
        "question": " ".join(study.question.split()),
        "shape": shape,
        "cache": cache_folder,
        "out": out,
        "study_file": str(file.absolute()),
        "study_text": file.read_text(encoding="utf-8"),
        "run_options": place + mirrored,
        "ray_version": version("ray"),
        "version": version("dferbench"),
    }
    return _templates().get_template(TEMPLATES[kind]).render(given)


def label(name: str) -> str:
    """A study's name as Kubernetes takes it in names and labels; a long one ends in its hash.

    >>> label("hdf_small")
    'hdf-small'
    >>> label("every_method_of_2025_on_dfew_and_ferv39k_") == label("every_method_of_2025_on_dfew_and_ferv39k")
    False
    """
    plain = name.replace("_", "-").strip("-")
    if len(plain) <= LONGEST_LABEL and not name.endswith(("-", "_")):
        return plain
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: LONGEST_LABEL - len(digest) - 1].rstrip('-')}-{digest}"


def _as_yaml(value: str) -> str:
    """A string for anywhere in YAML, within brackets too: as it is where that is the string, else quoted."""
    plain = re.fullmatch(r"[\w/~][\w./:@+~-]*", value, re.ASCII) and yaml.safe_load(f"[{value}]") == [value]
    return value if plain else json.dumps(value, ensure_ascii=False)


def _problems(kind: Kind, options: LaunchOptions) -> list[str]:
    """What is missing for a kind of cluster, in words."""
    problems = []
    if kind == "kuberay" and not options.image:
        problems.append("--image is missing: Ray's own images do not hold dferbench. See docs/cluster.md to make one.")
    if kind == "kuberay" and not (options.claim or options.store):
        problems.append("Pods leave nothing behind: give --claim (a shared volume) or --store (s3://bucket/runs).")
    if kind == "ray-up" and options.provider == "local" and not options.head:
        problems.append("--provider local needs --head, the address of the first machine, and --worker for each other.")
    if kind == "ray-up" and options.provider == "local" and len(options.workers) != options.nodes:
        problems.append(f"--nodes {options.nodes} needs as many --worker addresses, not {len(options.workers)}.")
    if kind == "ray-up" and options.provider != "local" and not (options.region and options.machine):
        problems.append(f"--provider {options.provider} needs --region and --machine (the type of the workers).")
    if kind == "ray-up" and not options.store and options.nodes > 1:
        problems.append("Machines of ray up share no folder: give --store (s3://bucket/runs) for data and results.")
    return problems


@cache
def _templates() -> Environment:
    """The manifests' templates: plain text, nothing to escape for HTML."""
    loader = PackageLoader("harness.schedule.cluster.launch", "templates")
    found = Environment(  # noqa: S701 - shell and YAML, quoted by the filters below
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    found.filters["shell"] = shlex.quote
    found.filters["yaml"] = _as_yaml
    return found
