"""A study on several Ray machines (raylets on this one), one of which is lost half way."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from conftest import STUDY
from test_a_study import assert_same, tables

from harness.paths import RunPaths

UNSEARCHED = {
    **STUDY,
    "training": {"epochs": 3, "batch_size": 8, "warmup_epochs": 0},
    "methods": {"lstm": STUDY["methods"]["lstm"], "hdf": {**STUDY["methods"]["hdf"], "search": {}}},
    "search": None,
    "stress": {"perturbations": ["frame_drop"], "severities": [3]},
}
NUM_UNITS = 2 * 2


@pytest.fixture(scope="module")
def study(tmp_path_factory, root) -> Path:
    """Four trainings without a search."""
    data = {**UNSEARCHED, "dataset": {**STUDY["dataset"], "root": str(root)}}
    file = tmp_path_factory.mktemp("cluster") / "study.yaml"
    file.write_text(yaml.safe_dump({name: value for name, value in data.items() if value is not None}))
    return file


@pytest.fixture(scope="module")
def reference(study, environment) -> Path:
    """The study run locally."""
    out = study.parent / "local"
    command = [sys.executable, "-m", "harness.cli", "run", study, "--local", "--plain", "--out", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def cluster(environment):
    """Three machines of one processor each; the driver joins the first."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        for name in ("DFERBENCH_CACHE", "OMP_NUM_THREADS"):
            patch.setenv(name, environment[name])
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        machines = Cluster()
        try:
            machines.add_node(num_cpus=1, include_dashboard=False)
            machines.add_node(num_cpus=1)
            machines.add_node(num_cpus=1)
            yield machines
        finally:
            machines.shutdown()


@pytest.mark.slow
@pytest.mark.uses_global_rng
def test_a_study_that_loses_a_machine_gives_the_same_tables(cluster, study, reference, environment):
    out = study.parent / "cluster"
    command = [sys.executable, "-m", "harness.cli", "run", study, "--plain", "--out", out, "--address", "auto"]
    here = {**environment, "RAY_ADDRESS": cluster.address}  # other tests' clusters may be on this machine too
    driver = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=here
    )
    started, seen = 0, []
    for line in driver.stdout:
        seen.append(line)
        started += "starts" in line
        if started == 3:
            break
    lost = next(iter(cluster.worker_nodes))
    while not list(RunPaths(out, "small").units.glob(".*.tmp")):
        assert driver.poll() is None
        time.sleep(0.05)
    cluster.remove_node(lost, allow_graceful=False)
    output, complaint = driver.communicate(timeout=200)
    assert driver.returncode == 0, "".join(seen) + output + complaint
    assert_same(tables(reference), tables(out))
    assert not list(out.rglob(".probe-*"))
