"""Manifests: valid where a schema can be had, without secrets, with the study's resources."""

import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.errors import HarnessError
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


@pytest.fixture
def write(tmp_path):
    def text(kind: str, options: LaunchOptions | None = None) -> str:
        file = tmp_path / "a study.yaml"
        file.write_text(TEXT)
        return manifest(kind, parse_study(TEXT, "s"), file, options or GIVEN[kind])

    return text


@pytest.mark.parametrize("kind", GIVEN)
def test_no_manifest_holds_a_token_and_each_asks_for_one(kind, write, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret-of-mine")
    text = write(kind)
    assert "secret-of-mine" not in text
    assert "RAY_AUTH_MODE=token" in text or "mode: token" in text
    assert "0.0.0.0" not in text  # noqa: S104 - that nothing is bound to it
    assert not re.search(r"USAGE_STATS_ENABLED\W+1", text)


def test_the_slurm_script_is_bash_and_asks_for_what_the_study_needs(write, tmp_path):
    text = write("slurm")
    checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    asked = dict(re.findall(r"^#SBATCH --([a-z-]+)=(.*)$", text, re.MULTILINE))
    assert (asked["nodes"], asked["cpus-per-task"], asked["gpus-per-node"]) == ("2", "4", "1")
    assert asked["mem"] == "14000M"
    assert asked["signal"] == "B:USR1@120"
    assert asked["partition"] == "gpu"
    assert "#SBATCH --requeue" in text
    assert "--dashboard-host 127.0.0.1" in text


def rayjob(text: str) -> dict:
    documents = {document["kind"]: document for document in yaml.safe_load_all(text)}
    assert set(documents) == {"ConfigMap", "NetworkPolicy", "RayJob"}
    assert yaml.safe_load(documents["ConfigMap"]["data"]["study.yaml"]) == yaml.safe_load(TEXT)
    return documents["RayJob"]


CONTAINER = {
    "type": "object",
    "required": ["name", "image", "resources", "volumeMounts"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string"},
        "env": {"type": "array", "items": {"required": ["name", "value"], "properties": {"value": {"type": "string"}}}},
        "resources": {"type": "object", "required": ["requests", "limits"]},
        "volumeMounts": {"type": "array", "items": {"required": ["name", "mountPath"]}},
    },
}
GROUP = {
    "rayStartParams": {"type": "object", "additionalProperties": {"type": "string"}},
    "template": {
        "required": ["spec"],
        "properties": {"spec": {"properties": {"containers": {"type": "array", "items": CONTAINER, "minItems": 1}}}},
    },
}
COUNT = {"type": "integer", "minimum": 0}
RAYJOB = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "ray.io/v1"},
        "metadata": {"properties": {"name": {"pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 47}}},
        "spec": {
            "type": "object",
            "required": ["entrypoint", "rayClusterSpec", "backoffLimit"],
            "additionalProperties": False,
            "properties": {
                "entrypoint": {"type": "string"},
                "entrypointNumCpus": {"type": "number"},
                "submissionMode": {"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
                "backoffLimit": {"type": "integer", "minimum": 1},
                "activeDeadlineSeconds": COUNT,
                "shutdownAfterJobFinishes": {"const": True},
                "ttlSecondsAfterFinished": COUNT,
                "rayClusterSpec": {
                    "type": "object",
                    "required": ["rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"],
                    "additionalProperties": False,
                    "properties": {
                        "rayVersion": {"type": "string"},
                        "authOptions": {"const": {"mode": "token"}},
                        "headGroupSpec": {"type": "object", "properties": GROUP, "additionalProperties": False},
                        "workerGroupSpecs": {
                            "type": "array",
                            "items": {
                                "required": ["groupName", "replicas", "minReplicas", "maxReplicas", *GROUP],
                                "additionalProperties": False,
                                "properties": {
                                    "groupName": {"type": "string"},
                                    "replicas": COUNT,
                                    "minReplicas": COUNT,
                                    "maxReplicas": COUNT,
                                    **GROUP,
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The part of KubeRay's RayJob (ray.io/v1) that we use: its keys and their types."""


def test_the_rayjob_has_the_structure_of_its_kind_and_mounts_what_it_names(write):
    job = rayjob(write("kuberay"))
    jsonschema.validate(job, RAYJOB)
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        volumes = {volume["name"] for volume in group["template"]["spec"]["volumes"]}
        (container,) = group["template"]["spec"]["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    (workers,) = cluster["workerGroupSpecs"]
    (container,) = workers["template"]["spec"]["containers"]
    assert workers["replicas"] == 2
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert "--out /mnt/dferbench/runs" in job["spec"]["entrypoint"]


def test_pods_that_would_leave_nothing_behind_are_refused(write):
    with pytest.raises(HarnessError, match="--claim"):
        write("kuberay", LaunchOptions(image="i"))
    assert "persistentVolumeClaim" not in write("kuberay", LaunchOptions(image="i", store="s3://b/r"))


@pytest.mark.parametrize(
    "options",
    [
        GIVEN["ray-up"],
        LaunchOptions(provider="gcp", region="europe-west4", machine="g2-standard-8", store="gs://b/r"),
        LaunchOptions(provider="local", head="10.0.0.1", workers=("10.0.0.2",), setup='source "~/my env/bin/activate"'),
    ],
)
def test_the_cluster_file_fits_the_schema_that_ships_with_ray(options, write):
    specification = find_spec("ray")
    assert specification is not None
    (folder,) = specification.submodule_search_locations
    schema = json.loads((Path(folder) / "autoscaler" / "ray-schema.json").read_text())
    cluster = yaml.safe_load(write("ray-up", options))
    jsonschema.validate(cluster, schema)
    assert cluster["max_workers"] == options.nodes
    assert "--dashboard-host=127.0.0.1" in cluster["head_start_ray_commands"][-1]
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"  # noqa: S105 - a path


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("kuberay", LaunchOptions(claim="c"), "--image"),
        ("ray-up", LaunchOptions(provider="local"), "--head"),
        ("ray-up", LaunchOptions(provider="local", head="h", nodes=2), "--worker"),
        ("ray-up", LaunchOptions(provider="aws"), "--region"),
        ("ray-up", LaunchOptions(provider="aws", region="r", machine="m", nodes=2), "--store"),
        ("slurm", LaunchOptions(nodes=9), "--nodes 9"),
    ],
)
def test_what_is_missing_for_a_cluster_is_named(kind, options, words, write):
    with pytest.raises(HarnessError, match=words):
        write(kind, options)
