"""Drivers that share a store and no folder: one at a time, and a dead one is not waited for without end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.schedule.cluster import lease as module
from harness.schedule.cluster.lease import Lease, leased
from harness.schedule.cluster.remote_folder import RemoteFolder

CLAIM = "small/driver.json"


@pytest.fixture
def store(tmp_path) -> RemoteFolder:
    return RemoteFolder(f"file://{tmp_path / 'store'}")


@pytest.fixture
def run(tmp_path) -> RunPaths:
    return RunPaths(tmp_path / "runs", "small")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Seconds are twentieths of seconds."""
    for name in ("RENEW_SECONDS", "SILENT_SECONDS", "SETTLE_SECONDS"):
        monkeypatch.setattr(module, name, getattr(module, name) / 200)


def claim(store, **changes) -> dict:
    """A claim of a driver on another host."""
    content = {"host": "elsewhere", "pid": 7, "attempt": 3, "renewals": 5, **changes}
    store.write(CLAIM, json.dumps(content).encode())
    return content


def read(store) -> dict:
    return json.loads(store.read(CLAIM) or b"{}")


def test_a_claim_is_held_renewed_and_given_back(store, run):
    with leased(store.uri, run):
        first = read(store)
        assert (first["host"], first["pid"], first["attempt"]) == (socket.gethostname(), os.getpid(), 1)
        while read(store)["renewals"] == first["renewals"]:
            time.sleep(0.01)
    assert read(store) == {}


def test_without_a_store_nothing_is_claimed(run):
    with leased("", run):
        assert not run.folder.exists()


def test_a_driver_that_renews_its_claim_keeps_others_out(store, run):
    ended = threading.Event()

    def renew():
        renewals = 0
        while not ended.wait(0.02):
            claim(store, renewals := renewals + 1)

    def claim(store, renewals):
        store.write(CLAIM, json.dumps({"host": "elsewhere", "pid": 7, "attempt": 3, "renewals": renewals}).encode())

    claim(store, 0)
    thread = threading.Thread(target=renew)
    thread.start()
    try:
        with pytest.raises(HarnessError, match=r"being run with --store .* by process 7 on elsewhere"):
            Lease(store, run).take()
    finally:
        ended.set()
        thread.join()
    assert read(store)["pid"] == 7


def test_a_driver_that_has_fallen_silent_is_replaced_by_the_next_attempt(store, run):
    claim(store)
    with leased(store.uri, run):
        assert (read(store)["pid"], read(store)["attempt"]) == (os.getpid(), 4)


def test_a_dead_driver_of_this_host_is_not_listened_for(store, run, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    claim(store, host=socket.gethostname(), pid=ended.pid)
    monkeypatch.setattr(Lease, "_is_renewed", lambda self, found: pytest.fail("it was listened for"))
    with leased(store.uri, run):
        assert read(store)["attempt"] == 4


def test_a_driver_whose_claim_was_taken_ends_and_leaves_the_others_alone(store, run, monkeypatch):
    told = []
    monkeypatch.setattr(module.os, "kill", lambda pid, number: told.append((pid, number)))
    with leased(store.uri, run):
        other = claim(store)
        while not told:
            time.sleep(0.01)
    assert told == [(os.getpid(), signal.SIGTERM)]
    assert read(store) == other


def test_of_two_that_claim_at_once_the_one_that_the_store_names_goes_on(store, run, monkeypatch):
    claim(store)
    own = Lease._write

    def overtaken(self):
        own(self)
        claim(store, pid=9, attempt=4)

    monkeypatch.setattr(Lease, "_write", overtaken)
    with pytest.raises(HarnessError, match="process 9 on elsewhere"):
        Lease(store, run).take()


def test_a_store_that_cannot_be_read_for_a_while_ends_nobody(store, run, monkeypatch):
    held = Lease(store, run)
    held.take()

    def unreachable(name):
        raise HarnessError("the network is gone")

    monkeypatch.setattr(store, "read", unreachable)
    assert held.is_ours


def test_what_is_no_claim_is_none(store, run):
    store.write(CLAIM, b"{half")
    with leased(store.uri, run):
        assert read(store)["attempt"] == 1
