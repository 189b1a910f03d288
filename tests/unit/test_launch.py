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
from manifests import GIVEN, ODD, written

from harness.errors import HarnessError
from harness.schedule.cluster.launch.manifest import LaunchOptions


@pytest.fixture
def write(tmp_path):
    return lambda kind, options=None: written(kind, tmp_path, options)


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


@pytest.mark.parametrize("odd", ODD)
def test_the_cluster_file_holds_what_is_given_as_it_is(odd, write):
    options = LaunchOptions(provider="local", head=odd, workers=(odd,), user=odd, image=odd, cache=odd)
    cluster = yaml.safe_load(write("ray-up", options))
    assert cluster["provider"] == {"type": "local", "head_ip": odd, "worker_ips": [odd]}
    assert (cluster["auth"]["ssh_user"], cluster["docker"]["image"]) == (odd, odd)
    appended = shlex.split(cluster["setup_commands"][1].partition("||")[2])[1]
    assert shlex.split(appended)[-1] == f"DFERBENCH_CACHE={odd}"
