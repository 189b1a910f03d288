"""SIGTERM while Ray starts: what is being written is written to its end."""

import subprocess
import sys

import pytest

pytest.importorskip("ray")

DRIVER = """
import os, signal, time
from harness.schedule.cluster import ray_cluster
from harness.schedule.signals import exits_are_interruptions

def told_to_stop(**asked):
    start(**asked)
    os.kill(os.getpid(), signal.SIGTERM)  # which Ray's own handler takes
    time.sleep(10)

start, ray_cluster.ray.init = ray_cluster.ray.init, told_to_stop
try:
    with exits_are_interruptions(), ray_cluster.connected("local", 1.0):
        pass
except KeyboardInterrupt:
    time.sleep(4)
    print("written", flush=True)
    raise SystemExit(130)
"""


def test_a_driver_told_to_stop_while_ray_starts_is_not_aborted_while_it_writes():
    ended = subprocess.run([sys.executable, "-c", DRIVER], capture_output=True, text=True, timeout=120, check=False)
    assert "SIGTERM received" in ended.stderr, "Ray's handler did not stand"
    assert (ended.returncode, ended.stdout) == (130, "written\n")
