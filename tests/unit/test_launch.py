"""Manifests: valid where a schema can be had, without secrets, with the study's resources."""

import json
import re
import shlex
import subprocess
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.errors import HarnessError
from harness.schedule.cluster.launch.manifest import LaunchOptions, label, manifest
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


@pytest.mark.parametrize(("ends", "again"), [(130, True), (0, False)])
def test_the_slurm_script_told_that_time_is_up_ends_in_good_order_and_requeues(ends, again, write, tmp_path):
    """With stand-ins for srun, scontrol and dferbench that write down what they were told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "log"
    stands = {
        "ray": "exit 0",
        "srun": f"touch {tmp_path}/started; while [[ ! -e {tmp_path}/stopped ]]; do sleep 0.05; done; exit {ends}",
        "dferbench": f'echo "dferbench $*" >> {log}; touch {tmp_path}/stopped',
        "scontrol": f'echo "scontrol $*" >> {log}',
    }
    for name, body in stands.items():
        (folder / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (folder / name).chmod(0o755)
    home = tmp_path / "home"
    (home / ".ray").mkdir(parents=True)
    (home / ".ray" / "auth_token").write_text("t")
    script = tmp_path / "job.sh"
    script.write_text(write("slurm").replace("/tmp/ray-", f"{tmp_path}/ray-"))  # noqa: S108
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(home), "SLURM_JOB_ID": "17"}
    with subprocess.Popen(["bash", script], env=environment) as job:
        while not (tmp_path / "started").exists():
            assert job.poll() is None
        job.send_signal(10)  # SIGUSR1
        assert job.wait(timeout=20) == ends
    told = log.read_text()
    assert "dferbench stop" in told
    assert ("scontrol requeue 17" in told) == again
    assert (home / ".ray" / "auth_token").stat().st_mode & 0o777 == 0o600


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


@pytest.mark.parametrize("name", ["a_b", "a-", "_".join(["long"] * 12), "x" * 38, "x" * 37, "1_5_", "2025", "no"])
def test_kubernetes_takes_the_name_of_any_study(name, write, tmp_path):
    file = tmp_path / "study.yaml"
    text = TEXT.replace("my_study", f'"{name}"')
    file.write_text(text)
    documents = list(yaml.safe_load_all(manifest("kuberay", parse_study(text, "s"), file, GIVEN["kuberay"])))
    names = {document["metadata"]["name"] for document in documents}
    assert len(names) == 1
    labels = documents[-1]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["metadata"]["labels"]
    assert labels == documents[1]["spec"]["podSelector"]["matchLabels"] == {"dferbench/study": label(name)}
    jsonschema.validate(documents[-1], RAYJOB)
    assert label(name) != label(name + "-")


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


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["kuberay", "ray-up"])
def test_whatever_is_given_on_the_command_line_arrives_as_it_is(kind, odd, write):
    given = {"image": odd, "claim": odd, "mount": f"/{odd}", "cache": odd, "store": odd, "out": f"/{odd}"}
    head = {"provider": "local", "head": odd, "workers": (odd,), "user": odd} if kind == "ray-up" else {}
    documents = list(yaml.safe_load_all(write(kind, LaunchOptions(**given, **head))))
    if kind == "ray-up":
        (cluster,) = documents
        assert cluster["provider"] == {"type": "local", "head_ip": odd, "worker_ips": [odd]}
        assert (cluster["auth"]["ssh_user"], cluster["docker"]["image"]) == (odd, odd)
        appended = shlex.split(cluster["setup_commands"][1].partition("||")[2])[1]
        assert shlex.split(appended)[-1] == f"DFERBENCH_CACHE={odd}"
        return
    jsonschema.validate(documents[-1], RAYJOB)
    cluster = documents[-1]["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"] == container["env"][0]["value"] == odd
        assert container["volumeMounts"][-1]["mountPath"] == f"/{odd}"
        assert group["template"]["spec"]["volumes"][-1]["persistentVolumeClaim"] == {"claimName": odd}
    told = shlex.split(documents[-1]["spec"]["entrypoint"])
    assert told[told.index("--store") + 1] == odd
    assert told[told.index("--out") + 1] == f"/{odd}"


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
