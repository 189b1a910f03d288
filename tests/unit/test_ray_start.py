"""Ray that does not start, and clusters that cannot be joined: told in words, with what to do."""

import signal
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from harness.errors import HarnessError
from harness.schedule.brain import Brain

ray = pytest.importorskip("ray")
from harness.schedule.cluster import ray_cluster, ray_tune  # noqa: E402 - after Ray was found
from harness.schedule.cluster.ray_cluster import RayNotStartedError  # noqa: E402
from harness.schedule.cluster.ray_guard import RayDiedError  # noqa: E402
from harness.schedule.session import Session  # noqa: E402


def enter(address: str) -> None:
    with ray_cluster.connected(address, 1.0):
        raise AssertionError("connected")


@pytest.mark.parametrize(
    "error",
    [
        # what ray.init raised when its raylet, or one of the raylet's agents, was killed while it started
        Exception("The current node timed out during startup. This could happen because some of the raylet failed."),
        RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.59.0\n    Python: 3.11.7"),
        TimeoutError("Timed out while waiting for GCS"),
        ray.exceptions.AuthenticationError("RAY_AUTH_TOKEN_PATH is set but file cannot be opened"),
        ValueError(""),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("address", ["local", "auto"])
def test_whatever_ray_raises_when_it_starts_is_an_error_of_one_line_that_says_what_to_do(address, error, monkeypatch):
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(ray, "init", fails)
    with pytest.raises(HarnessError) as told:
        enter(address)
    words = str(told.value)
    assert "\n" not in words
    assert " ".join(str(error).split())[:60] in words
    assert ("--local" if address == "local" else "dferbench submit") in words


@pytest.mark.parametrize(
    ("named", "told"),
    [("MIG-1a,MIG-2b,MIG-3c", {"num_gpus": 3}), ("0,1", {}), ("GPU-1a", {}), ("", {}), (None, {})],
)
def test_slices_of_a_gpu_are_counted_for_ray_which_counts_cards(named, told, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert ray_cluster.visible_slices() == told


@pytest.mark.parametrize(
    ("starts", "left"),
    [
        ([RayNotStartedError("no")], 0),
        ([RayDiedError(), RayNotStartedError("no"), None], 0),
        ([RayDiedError(), *[RayNotStartedError("no")] * 9], 10 - ray_tune.MAX_RESTARTS),
    ],
    ids=["never ran", "ran before", "starts no more"],
)
def test_a_start_that_fails_is_tried_again_only_after_ray_has_run(starts, left, monkeypatch):
    ends, attempts = starts[-1] is None, list(starts)

    def on_ray(*_: object) -> None:
        error = attempts.pop(0)
        if error is not None:
            raise error

    monkeypatch.setattr(ray_tune, "_on_ray", on_ray)
    monkeypatch.setattr(Brain, "put_back", lambda self: None)
    session, brain = Session.__new__(Session), Brain.__new__(Brain)  # neither is looked at
    with nullcontext() if ends else pytest.raises(HarnessError):
        ray_tune.run_ray(session, brain, lambda *_: None, 1)
    assert len(attempts) == left


def test_a_defect_is_not_taken_for_a_ray_that_does_not_start(monkeypatch):
    def fails(**_: object) -> None:
        raise TypeError("a defect")

    monkeypatch.setattr(ray, "init", fails)
    with pytest.raises(TypeError):
        enter("local")


@pytest.mark.uses_global_rng
def test_ray_that_has_no_folder_to_start_in_says_so(tmp_path, monkeypatch):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("RAY_TMPDIR", str(blocked))
    with pytest.raises(HarnessError, match=r"Ray does not start .*Not a directory.* RAY_TMPDIR"):
        enter("local")


@pytest.mark.uses_global_rng
def test_a_cluster_that_is_not_there_is_named_by_its_address():
    with pytest.raises(HarnessError, match="No Ray cluster can be joined at 'nowhere'"):
        enter("nowhere")


def test_a_client_address_is_refused_with_the_way_that_works():
    with pytest.raises(HarnessError, match=r"--address ray://head:10001: .* dferbench submit STUDY --address http://"):
        enter("ray://head:10001")


@pytest.mark.parametrize(
    ("ending", "failed", "kept"),
    [
        (None, False, False),
        (None, True, True),
        (KeyboardInterrupt, False, False),
        (SystemExit, False, False),
        (RayDiedError, False, True),
    ],
)
def test_what_a_ray_of_our_own_wrote_goes_with_it_unless_it_may_tell_what_went_wrong(
    ending, failed, kept, tmp_path, monkeypatch
):
    session, other = tmp_path / "session_1", tmp_path / "session_2"
    (session / "logs").mkdir(parents=True)
    other.mkdir()
    there = []

    def shutdown() -> None:
        there.append(session.exists())

    monkeypatch.setattr(ray, "init", lambda **_: SimpleNamespace(address_info={"session_dir": str(session)}))
    monkeypatch.setattr(ray, "shutdown", shutdown)
    with pytest.raises(ending) if ending else nullcontext(), ray_cluster.connected("local", 1.0, lambda: failed):
        if ending:
            raise ending
    assert there == [True], "Ray ends first"
    assert session.exists() == kept
    assert other.exists()


@pytest.mark.parametrize("address", ["local", "auto"])
def test_handlers_and_alarms_that_ray_sets_when_it_starts_do_not_outlive_its_start(address, tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)

    def starts(**_: object) -> SimpleNamespace:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return SimpleNamespace(address_info={"session_dir": str(tmp_path / "session")})

    def is_told_to_stop(**_: object) -> None:
        signal.alarm(60)
        raise SystemExit(signal.SIGTERM)

    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(ray, "init", starts)
    try:
        with ray_cluster.connected(address, 1.0):
            assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        monkeypatch.setattr(ray, "init", is_told_to_stop)
        with pytest.raises(SystemExit):
            enter(address)
        assert signal.alarm(0) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
