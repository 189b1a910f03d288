"""A study sent to a Ray cluster through its job server: packed, submitted under a new name, followed to its end."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.plan import check
from harness.schedule.cluster.launch.address import check_address, token_given
from harness.schedule.cluster.launch.bundle import STUDY, bundle
from harness.schedule.tracking import Track
from harness.spec.load import load_study

ENDED = {"SUCCEEDED": 0, "FAILED": 1, "STOPPED": 130}
"""Exit codes of a job that ended, where the job server does not know the driver's own."""
POLL_SECONDS = 1.0
ANSWER_SECONDS = 30.0
"""For the job server to answer one request; Ray's own client waits for ever."""
SILENT_SECONDS = 20.0
"""A log that says nothing for so long is asked whether its job has ended: a connection may die without a word."""
LOST_SECONDS = 300.0
"""A job server that does not answer for so long while a study is followed is taken for lost."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is sent where.

    Attributes:
        address: of the job server.
        file: the study.
        out: the runs folder as the cluster's machines see it.
        store: where results are mirrored; empty for nowhere.
        slots: trials at the same time; 0 for as many as the cluster holds.
        track: where trainings can be watched, as the head reaches it.
        include: more files and folders that travel.
    """

    address: str
    file: Path
    out: str
    store: str = ""
    slots: int = 0
    track: Track = "tensorboard"
    include: tuple[Path, ...] = ()

    @property
    def entrypoint(self) -> str:
        """The command that the head runs."""
        words = ["python", "-m", "harness.cli", "run", STUDY, "--address", "auto", "--plain", "--out", self.out]
        words += ["--slots", str(self.slots)] if self.slots else []
        words += ["--store", self.store] if self.store else []
        words += ["--track", self.track] if self.track != "tensorboard" else []
        return shlex.join(words)


def send(submission: Submission, *, wait: bool, say: Say) -> int:
    """Submit a study; with ``wait`` follow its log and return its exit code, else 0.

    Raises:
        HarnessError: if the cluster cannot be reached or may not be used, or the study runs there already.
    """
    study = load_study(submission.file)
    check(study, str(submission.file))
    client = _client(submission.address)
    name = _next_name(client, study.name)
    with tempfile.TemporaryDirectory(prefix="dferbench-submit-") as folder:
        sent = bundle(submission.file, submission.include, Path(folder))
        try:
            client.submit_job(
                entrypoint=submission.entrypoint,
                submission_id=name,
                runtime_env={"working_dir": str(sent)},
                metadata={"study": study.name},
            )
        except _network_errors() as error:
            raise HarnessError(f"{submission.address} did not take the study: {_first_line(error)}") from error
    say(f"Submitted {name} to {submission.address}.")
    if not wait:
        say(f"Follow it: ray job logs --follow --address {submission.address} {name}")
        return 0
    return _follow(client, name, say)


def _client(address: str) -> Any:
    """Ray's own client of its job server.

    Raises:
        HarnessError: if it cannot be made, in words.
    """
    token = token_given()
    check_address(address, token)
    if find_spec("aiohttp") is None:
        raise HarnessError("Submitting needs Ray's job client. Install it: pip install 'dferbench[cluster]'.")
    if token:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

    # isort: split
    from ray.job_submission import JobSubmissionClient

    class Client(JobSubmissionClient):
        """Ray's client, which gives up on a server that does not answer."""

        def _do_request(self, method: str, endpoint: str, **given: Any) -> Any:
            return super()._do_request(method, endpoint, timeout=ANSWER_SECONDS, **given)

    try:
        return Client(address)
    except _network_errors() as error:
        raise HarnessError(
            f"No job server answers at {address} ({_first_line(error)}). It is the dashboard's address, and a cluster "
            "that asks for a token wants the same one in RAY_AUTH_TOKEN here."
        ) from error


def _next_name(client: Any, study: str) -> str:
    """A submission's name: the study and the attempt, because Ray takes no name twice.

    Raises:
        HarnessError: if an earlier attempt is still running, or the server does not say.
    """
    prefix, attempts = f"dferbench-{study}-", 0
    try:
        jobs = client.list_jobs()
    except _network_errors() as error:
        raise HarnessError(f"{client.get_address()} does not list its jobs: {_first_line(error)}") from error
    for job in jobs:
        number = (job.submission_id or "").removeprefix(prefix)
        if not number.isdigit():
            continue
        attempts = max(attempts, int(number))
        if str(job.status) not in ENDED:
            raise HarnessError(
                f"Study '{study}' is being run there as {job.submission_id}. Wait for it, or stop it: "
                f"ray job stop --address {client.get_address()} {job.submission_id}"
            )
    return f"{prefix}{attempts + 1}"


def _follow(client: Any, name: str, say: Say) -> int:
    """Print a job's log while it is written, then return what the driver returned.

    Raises:
        HarnessError: if the job server is lost.
    """
    try:
        asyncio.run(_tail(client, name, say))
    except _network_errors() as error:
        say(f"The log broke off ({_first_line(error)}); the study goes on there.")
    job = _ended(client, name)
    say(f"{name}: {str(job.status).lower()}.")
    own = getattr(job, "driver_exit_code", None)
    return own if own is not None and own > 0 else ENDED[str(job.status)]


async def _tail(client: Any, name: str, say: Say) -> None:
    """Print a job's log until it ends, or until the job has ended and the log is silent."""
    texts = aiter(client.tail_job_logs(name))
    coming = asyncio.ensure_future(anext(texts, None))
    while True:
        done, _ = await asyncio.wait({coming}, timeout=SILENT_SECONDS)
        if not done and str(client.get_job_status(name)) not in ENDED:
            continue
        text = coming.result() if done else None
        if text is None:
            coming.cancel()
            return
        say(text.rstrip("\n"))
        coming = asyncio.ensure_future(anext(texts, None))


def _ended(client: Any, name: str) -> Any:
    """What the job server says of a job once it has ended.

    Raises:
        HarnessError: if it does not answer for ``LOST_SECONDS``.
    """
    answered = time.monotonic()
    while True:
        try:
            job = client.get_job_info(name)
            answered = time.monotonic()
            if str(job.status) in ENDED:
                return job
        except _network_errors() as error:
            if time.monotonic() - answered > LOST_SECONDS:
                raise HarnessError(
                    f"The job server at {client.get_address()} has not answered for {LOST_SECONDS:.0f} s "
                    f"({_first_line(error)}). Study {name} may go on there: dferbench status shows it where its runs "
                    "folder is seen."
                ) from error
        time.sleep(POLL_SECONDS)


def _network_errors() -> tuple[type[Exception], ...]:
    """What Ray's client raises when a server cannot be reached or refuses; its libraries have errors of their own."""
    own = {"aiohttp": "ClientError", "ray.exceptions": "RayError"}
    loaded = [getattr(sys.modules[module], name) for module, name in own.items() if module in sys.modules]
    return (OSError, RuntimeError, *loaded)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
