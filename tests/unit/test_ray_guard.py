"""A driver whose Ray has died ends its wait, whatever it is waiting in."""

import contextlib
import signal
import subprocess
import sys
import threading
import time

import pytest
from ray.exceptions import RpcError

from harness.schedule.cluster import ray_guard


class Context:
    def get_node_id(self):
        return "here"


@pytest.fixture
def nodes(monkeypatch):
    """Ray's list of machines, which a test changes."""
    listed = [{"NodeID": "here", "Alive": True}, {"NodeID": "there", "Alive": False}]
    monkeypatch.setattr(ray_guard.ray, "get_runtime_context", Context)
    monkeypatch.setattr(ray_guard.ray, "nodes", lambda: listed)
    monkeypatch.setattr(ray_guard, "LOOK_SECONDS", 0.02)
    return listed


@ray_guard.guarded()
def wait_for_ever(nodes, *, deaf_once=False):
    nodes[0]["Alive"] = False
    with contextlib.suppress(*[KeyboardInterrupt] * deaf_once):
        time.sleep(10)
    time.sleep(10)


def test_a_wait_ends_when_this_machine_is_dead(nodes):
    with pytest.raises(ray_guard.RayDiedError):
        wait_for_ever(nodes)


def test_the_death_of_another_machine_is_not_ours(nodes):
    with ray_guard.guarded():
        time.sleep(0.2)


def test_a_driver_in_the_background_that_ignores_sigint_hears_it_too(nodes):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(ray_guard.RayDiedError):
            wait_for_ever(nodes)
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_signal_that_wakes_is_given_back(nodes):
    before = signal.getsignal(ray_guard.WAKE)
    with ray_guard.guarded():
        assert signal.getsignal(ray_guard.WAKE) is not before
    assert signal.getsignal(ray_guard.WAKE) is before


def test_an_interruption_that_is_lost_comes_again(nodes):
    with pytest.raises(ray_guard.RayDiedError):
        wait_for_ever(nodes, deaf_once=True)


def test_an_answer_that_fails_is_asked_for_again(nodes, monkeypatch):
    answers = iter([RpcError("busy"), RpcError("busy")])

    def ask():
        for error in answers:
            raise error
        return nodes

    monkeypatch.setattr(ray_guard.ray, "nodes", ask)
    with pytest.raises(ray_guard.RayDiedError):
        wait_for_ever(nodes)


def test_a_users_interruption_stays_one(nodes):
    with pytest.raises(KeyboardInterrupt), ray_guard.guarded():
        raise KeyboardInterrupt


def test_nothing_is_sent_after_the_end(nodes):
    with ray_guard.guarded():
        pass
    nodes[0]["Alive"] = False
    time.sleep(0.1)
    assert not [thread for thread in threading.enumerate() if thread.name == "dferbench-ray"]


def test_a_call_that_returns_in_time_is_left_alone():
    with ray_guard.bounded(0.5):
        pass
    time.sleep(0.1)
    assert not [thread for thread in threading.enumerate() if thread.name == "dferbench-bound"]


STUCK = """
import time
from harness.schedule.cluster.ray_guard import bounded

with bounded(0.3):
    time.sleep(60)
"""
DEAF = """
import signal, threading, time
from harness.schedule.cluster import ray_guard

ray_guard.ray.get_runtime_context = lambda: type("C", (), {"get_node_id": lambda self: "here"})()
ray_guard.ray.nodes = lambda: [{"NodeID": "here", "Alive": False}]
ray_guard.LOOK_SECONDS, ray_guard.REACH_SECONDS = 0.05, 0.3
with ray_guard.guarded():
    signal.pthread_sigmask(signal.SIG_BLOCK, {ray_guard.WAKE})
    time.sleep(60)
"""


@pytest.mark.parametrize("program", [DEAF, STUCK], ids=["hears nothing", "does not return"])
def test_a_driver_that_hangs_in_a_dead_ray_is_ended_with_words(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == ray_guard.ERROR_CODE
    assert "Finished trials are kept; run the same command again." in done.stderr
    assert 'File "<string>"' in done.stderr, "where it hangs"
