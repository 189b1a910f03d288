"""The manifest for Kubernetes: its kinds' schemas, and names and values of every sort."""

import shlex

import jsonschema
import kubernetes_validate
import pytest
import yaml
from manifests import ODD, TEXT, written

from harness.errors import HarnessError
from harness.schedule.cluster.launch.manifest import LaunchOptions, label

KUBERNETES = "1.30"
GROUP = {
    "rayStartParams": {"type": "object", "additionalProperties": {"type": "string"}},
    "template": {"type": "object"},
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


@pytest.fixture
def documents(tmp_path):
    """Writes the manifest and reads it back: documents by kind, each valid by the schema of its kind."""

    def read(**given) -> dict:
        found = {document["kind"]: document for document in yaml.safe_load_all(written("kuberay", tmp_path, **given))}
        assert set(found) == {"ConfigMap", "NetworkPolicy", "RayJob"}
        jsonschema.validate(found["RayJob"], RAYJOB)
        for document in (found["ConfigMap"], found["NetworkPolicy"], *pods(found["RayJob"])):
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        return found

    return read


def pods(job: dict) -> list[dict]:
    """The pods that KubeRay would make: of the head, then of each group of workers."""
    cluster = job["spec"]["rayClusterSpec"]
    templates = [group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
    return [{"apiVersion": "v1", "kind": "Pod", **template} for template in templates]


def test_the_rayjob_mounts_what_it_names_and_asks_for_what_the_study_needs(documents):
    found = documents()
    job = found["RayJob"]
    assert yaml.safe_load(found["ConfigMap"]["data"]["study.yaml"]) == yaml.safe_load(TEXT)
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


def test_pods_that_would_leave_nothing_behind_are_refused(documents):
    with pytest.raises(HarnessError, match="--claim"):
        documents(options=LaunchOptions(image="i"))
    found = documents(options=LaunchOptions(image="i", store="s3://b/r"))
    assert all("persistentVolumeClaim" not in str(pod) for pod in pods(found["RayJob"]))


@pytest.mark.parametrize("name", ["a_b", "a-", "_".join(["long"] * 12), "x" * 38, "x" * 37, "1_5_", "2025", "no"])
def test_kubernetes_takes_the_name_of_any_study(name, documents):
    found = documents(name=name)
    assert len({document["metadata"]["name"] for document in found.values()}) == 1
    marked = {"dferbench/study": label(name)}
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == marked
    assert all(pod["metadata"]["labels"] == marked for pod in pods(found["RayJob"]))
    assert label(name) != label(name + "-")


@pytest.mark.parametrize("odd", ODD)
def test_whatever_is_given_on_the_command_line_arrives_as_it_is(odd, documents):
    given = {"image": odd, "claim": odd, "mount": f"/{odd}", "cache": odd, "store": odd, "out": f"/{odd}"}
    job = documents(options=LaunchOptions(**given))["RayJob"]
    for pod in pods(job):
        (container,) = pod["spec"]["containers"]
        assert container["image"] == container["env"][0]["value"] == odd
        assert container["volumeMounts"][-1]["mountPath"] == f"/{odd}"
        assert pod["spec"]["volumes"][-1]["persistentVolumeClaim"] == {"claimName": odd}
    told = shlex.split(job["spec"]["entrypoint"])
    assert told[told.index("--store") + 1] == odd
    assert told[told.index("--out") + 1] == f"/{odd}"
