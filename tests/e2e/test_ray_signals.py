"""SIGTERM while Ray starts, while it ends and when it has ended: what is being written is written to its end."""

import subprocess
import sys

import pytest

pytest.importorskip("ray")

DRIVER = """
import os, signal, sys, threading, time
from harness.schedule.cluster import ray_cluster
from harness.schedule.signals import exits_are_interruptions, interrupt_on_sigterm

ray, when = ray_cluster.ray, sys.argv[1]
start, end = ray.init, ray.shutdown
tell = lambda: os.kill(os.getpid(), signal.SIGTERM)

def starting(**asked):
    context = start(**asked)
    if when == "it starts":
        tell()  # Ray's own handler takes it
        time.sleep(10)
    return context

def ending():
    if when == "it ends":
        threading.Timer(0.4, tell).start()
    end()

ray.init, ray.shutdown = starting, ending
interrupt_on_sigterm()
try:
    with exits_are_interruptions():
        with ray_cluster.connected("local", 1.0):
            pass
        if when == "it has ended":
            tell()
            time.sleep(10)
except KeyboardInterrupt:
    time.sleep(4)
    print("written", flush=True)
    raise SystemExit(130)
"""


@pytest.mark.parametrize("when", ["it starts", "it ends", "it has ended"])
def test_a_driver_told_to_stop_around_ray_ends_as_it_would_without(when):
    command = [sys.executable, "-c", DRIVER, when]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ("SIGTERM received" in ended.stderr) == (when == "it starts"), "Ray's handler stands while it starts"
    assert (ended.returncode, ended.stdout) == (130, "written\n")
