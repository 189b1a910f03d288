"""A study with manifests to write for it."""

from pathlib import Path

from harness.schedule.cluster.launch.manifest import LaunchOptions, manifest
from harness.spec.load import parse_study

TEXT = """\
name: my_study
question: >-
  Does "it" hold: 'yes' or $(no)?
dataset: {name: synthetic}
folds: [1, 2, 3, 4]
resources: {cpus: 2, gpus: 0.5, memory_mb: 5000}
methods:
  x3d: {model: {name: x3d}}
"""
GIVEN = {
    "slurm": LaunchOptions(nodes=2, out="/shared/my runs", partition="gpu", store="s3://b/r"),
    "kuberay": LaunchOptions(nodes=2, image="registry/dferbench:1", claim="dfer"),
    "ray-up": LaunchOptions(nodes=2, region="eu-west-1", machine="g5.xlarge", store="s3://b/r", image="i:1"),
}

ODD = (
    "a b",
    "a: b",
    "a #b",
    "it's",
    'say "so"',
    "{a, b}",
    "[c]",
    "null",
    "1.5",
    "yes",
    "\u00e9t\u00e9",
    "c:\\d",
    "*x",
    "- y",
)
"""What a shell or YAML would take for something else."""


def written(kind: str, folder: Path, options: LaunchOptions | None = None, name: str = "my_study") -> str:
    """The manifest of the study under a name, read from a file in a folder."""
    file, text = folder / "a study.yaml", TEXT.replace("my_study", f'"{name}"')
    file.write_text(text)
    return manifest(kind, parse_study(text, "s"), file, options or GIVEN[kind])
