"""What travels to a cluster, where it may go, under which name, and what comes back."""

import asyncio
import socket
import types
from pathlib import Path

import pytest
import yaml

from harness.errors import HarnessError
from harness.schedule.cluster import ray_submit
from harness.schedule.cluster.launch import bundle as bundling
from harness.schedule.cluster.launch.address import check_address, token_given
from harness.schedule.cluster.launch.bundle import bundle
from harness.schedule.cluster.ray_submit import Submission, send

STUDY = {
    "name": "asked",
    "question": "q",
    "dataset": {"name": "synthetic"},
    "folds": [1],
    "methods": {"x3d": {"model": {"name": "x3d"}}},
}


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(STUDY))
    return path


class Server:
    """A job server that remembers what it was sent, and how its jobs end."""

    def __init__(self, status: str = "SUCCEEDED", code: int | None = 0, jobs: tuple[tuple[str, str], ...] = ()) -> None:
        self.status, self.code, self.sent = status, code, []
        self.jobs = [types.SimpleNamespace(submission_id=name, status=status) for name, status in jobs]

    def get_address(self) -> str:
        return "http://127.0.0.1:8265"

    def list_jobs(self) -> list:
        return self.jobs

    def submit_job(self, **given) -> None:
        folder = Path(given["runtime_env"]["working_dir"])
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        self.sent.append({**given, "files": files})

    async def tail_job_logs(self, name: str):
        yield f"log of {name}\n"

    def get_job_status(self, _: str) -> str:
        return self.status

    def get_job_info(self, _: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(status=self.status, driver_exit_code=self.code)


@pytest.fixture
def serve(monkeypatch):
    def start(**how) -> Server:
        server = Server(**how)
        monkeypatch.setattr(ray_submit, "_client", lambda _: server)
        return server

    return start


def submission(file: Path, **changes) -> Submission:
    return Submission(**{"address": "http://127.0.0.1:8265", "file": file, "out": "/shared/my runs", **changes})


def test_a_study_is_sent_with_the_program_and_without_data(serve, file):
    server, said = serve(), []
    assert send(submission(file, store="s3://b/r", slots=3, track="mlflow"), wait=True, say=said.append) == 0
    (sent,) = server.sent
    assert sent["submission_id"] == "dferbench-asked-1"
    assert sent["entrypoint"] == (
        "python -m harness.cli run study.yaml --address auto --plain --out '/shared/my runs' --slots 3 "
        "--store s3://b/r --track mlflow"
    )
    assert {"study.yaml", "harness/cli/__init__.py", "models/hdf.py", "perturbations/suites/core.yaml"} <= sent["files"]
    assert not [name for name in sent["files"] if name.endswith((".pyc", ".mp4", ".parquet", ".pt"))]
    assert "log of dferbench-asked-1" in said


def test_each_attempt_has_a_name_of_its_own_and_other_studies_do_not_count(serve, file):
    ended = (("dferbench-asked-1", "FAILED"), ("dferbench-asked-2", "SUCCEEDED"), ("dferbench-asked-more-7", "RUNNING"))
    server = serve(jobs=ended)
    send(submission(file), wait=False, say=lambda _: None)
    assert server.sent[0]["submission_id"] == "dferbench-asked-3"


def test_a_study_that_runs_there_already_is_not_sent_again(serve, file):
    server = serve(jobs=(("dferbench-asked-4", "RUNNING"),))
    with pytest.raises(HarnessError, match="dferbench-asked-4"):
        send(submission(file), wait=False, say=lambda _: None)
    assert server.sent == []


@pytest.mark.parametrize(
    ("status", "own", "code"), [("SUCCEEDED", 0, 0), ("FAILED", 2, 2), ("FAILED", None, 1), ("STOPPED", None, 130)]
)
def test_the_exit_code_is_the_drivers(status, own, code, serve, file):
    serve(status=status, code=own)
    assert send(submission(file), wait=True, say=lambda _: None) == code


def test_a_log_that_falls_silent_after_its_job_has_ended_is_not_waited_for(serve, file, monkeypatch):
    monkeypatch.setattr(ray_submit, "SILENT_SECONDS", 0.05)
    server, said, asked = serve(), [], []

    async def silent(_: str):
        yield "one line\n"
        await asyncio.Event().wait()

    def status(_: str) -> str:
        asked.append(1)
        return "RUNNING" if len(asked) < 3 else "SUCCEEDED"

    server.tail_job_logs, server.get_job_status = silent, status
    assert send(submission(file), wait=True, say=said.append) == 0
    assert "one line" in said
    assert len(asked) == 3


def test_a_job_server_that_does_not_answer_for_a_while_is_asked_again(serve, file, monkeypatch):
    monkeypatch.setattr(ray_submit, "POLL_SECONDS", 0.01)
    server, said, answers = serve(), [], [ConnectionError("gone"), TimeoutError("slow")]
    ended = server.get_job_info("")

    async def broken(_: str):
        raise RuntimeError("closed unexpectedly")
        yield

    def info(_: str) -> types.SimpleNamespace:
        if answers:
            raise answers.pop()
        return ended

    server.tail_job_logs, server.get_job_info = broken, info
    assert send(submission(file), wait=True, say=said.append) == 0
    assert "The log broke off (closed unexpectedly); the study goes on there." in said


def test_a_job_server_that_is_lost_ends_the_waiting_and_says_where_to_look(serve, file, monkeypatch):
    monkeypatch.setattr(ray_submit, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ray_submit, "LOST_SECONDS", 0.05)
    server = serve()

    def gone(_: str) -> None:
        raise ConnectionError("refused")

    server.get_job_info = gone
    with pytest.raises(HarnessError, match=r"has not answered .*refused.*dferbench-asked-1 may go on there"):
        send(submission(file), wait=True, say=lambda _: None)


@pytest.mark.uses_global_rng
def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up(file, monkeypatch):
    pytest.importorskip("aiohttp", reason="Ray's job client needs the extra cluster")
    monkeypatch.setattr(ray_submit, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HarnessError, match=rf"No job server answers at {address} \(.*[Tt]imed out"):
            send(submission(file, address=address), wait=False, say=lambda _: None)


def test_a_server_that_does_not_list_its_jobs_is_an_error_in_words(serve, file):
    server = serve()

    def fails() -> None:
        raise RuntimeError("Request failed with status code 500: down.")

    server.list_jobs = fails
    with pytest.raises(HarnessError, match="does not list its jobs: Request failed with status code 500"):
        send(submission(file), wait=True, say=lambda _: None)


def test_what_is_included_travels_but_not_its_caches(file, tmp_path):
    extra = tmp_path / "lists"
    (extra / "__pycache__").mkdir(parents=True)
    (extra / "__pycache__" / "x.txt").write_text("")
    (extra / "train.csv").write_text("clip")
    target = tmp_path / "sent"
    target.mkdir()
    bundle(file, [extra], target)
    assert (target / "lists" / "train.csv").read_text() == "clip"
    assert not (target / "lists" / "__pycache__").exists()


@pytest.mark.parametrize(("name", "words"), [("absent", "no such file"), ("harness", "already")])
def test_what_cannot_be_included_is_named(name, words, file, tmp_path):
    (tmp_path / "harness").write_text("")
    (tmp_path / "sent").mkdir()
    with pytest.raises(HarnessError, match=words):
        bundle(file, [tmp_path / name], tmp_path / "sent")


def test_data_does_not_travel(file, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "LIMIT_BYTES", 3_000_000)
    (tmp_path / "clips.bin").write_bytes(b"\0" * 3_100_000)
    (tmp_path / "sent").mkdir()
    with pytest.raises(HarnessError, match=r"clips.bin \(3 MB\)"):
        bundle(file, [tmp_path / "clips.bin"], tmp_path / "sent")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8265", "http://localhost:8265", "http://10.1.2.3:8265", "http://[::1]:1"]
)
def test_an_address_of_this_machine_or_a_private_network_needs_no_token_of_ours(address):
    check_address(address, "")


@pytest.mark.parametrize(
    ("address", "token", "words"),
    [
        ("http://8.8.8.8:8265", "", "no token"),
        ("https://8.8.8.8:8265", "default file", "no token"),
        ("http://8.8.8.8:8265", "explicit", "clear text"),
        ("ray://10.0.0.1:10001", "explicit", "looks like"),
        ("10.0.0.1:8265", "explicit", "looks like"),
        ("http://no-such-host.invalid:8265", "", "no host"),
    ],
)
def test_an_address_that_could_be_anybodys_is_refused(address, token, words):
    with pytest.raises(HarnessError, match=words):
        check_address(address, token)


def test_the_open_network_takes_a_token_over_tls():
    check_address("https://8.8.8.8:443", "explicit")


def test_a_token_is_looked_for_where_ray_looks(monkeypatch, tmp_path):
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert token_given() == ""
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("t")
    assert token_given() == "default file"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "t")
    assert token_given() == "explicit"


def test_without_rays_job_client_the_extra_that_brings_it_is_named(file, monkeypatch):
    monkeypatch.setattr(ray_submit, "find_spec", lambda _: None)
    with pytest.raises(HarnessError, match=r"dferbench\[cluster\]"):
        send(submission(file), wait=False, say=lambda _: None)
