"""A study sent to the job server of a real Ray head that asks for a token (needs the extra ``cluster``)."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from conftest import STUDY
from processes import living_with

from harness.paths import RunPaths

pytest.importorskip("aiohttp", reason="Ray's job server needs the extra cluster")

START_SECONDS = 120.0
"""For a Ray head, on a busy machine; it takes ten on a quiet one."""


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def head(environment):
    """A Ray head with its dashboard on loopback, and the environment of somebody who knows its token."""
    with tempfile.TemporaryDirectory(prefix="dferbench-head-", ignore_cleanup_errors=True) as folder:
        known = {
            **environment,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": "only-for-this-test-" + "0" * 24,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": folder,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        }
        port, dashboard = free_port(), free_port()
        options = ["--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1"]
        options += ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats"]
        log = Path(folder) / "head.log"
        with log.open("w") as file:
            started = subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", "start", *options], env=known, stdout=file, stderr=file
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while "--block" not in log.read_text():
                assert started.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{dashboard}", known
        finally:
            started.terminate()
            with suppress(subprocess.TimeoutExpired):
                started.wait(timeout=20)
            for pid in living_with(f"RAY_TMPDIR={folder}"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            started.wait(timeout=20)


def submit(study: Path, address: str, environment: dict[str, str], out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "submit", study, "--address", address, "--out", out]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment, timeout=200, check=False
    )


@pytest.mark.slow
def test_a_study_is_submitted_followed_and_its_exit_code_returned(head, write_study, tmp_path):
    address, known = head
    short = {
        "methods": {"lstm": STUDY["methods"]["lstm"]},
        "search": None,
        "folds": [1],
        "training": {"epochs": 1, "batch_size": 8},
        "stress": {"audit": False},
    }
    out = tmp_path / "runs"
    done = submit(write_study(**short), address, known, out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 trials trained now" in done.stdout
    assert RunPaths(out, "small").output("report.html").exists()
    failing = submit(write_study(**short | {"folds": [9]}), address, known, out)
    assert failing.returncode == 2
    assert "no fold 9" in failing.stdout
    assert "dferbench-small-2" in failing.stdout
    stranger = {**known, "RAY_AUTH_TOKEN": "guessed" * 6}
    refused = submit(write_study(**short), address, stranger, out)
    assert refused.returncode == 2
    assert "RAY_AUTH_TOKEN" in refused.stderr
