"""A worker process goes from unit to unit: it gives its GPU back, looks at itself, and leaves nothing to the next."""

import subprocess
import sys
import weakref
from contextlib import nullcontext

import pytest
import torch
from tiny_unit import contents_but_seconds, make_task, weights

from harness.errors import HarnessError, StorageError
from harness.schedule.cluster import gpu_guard, ray_worker
from harness.schedule.cluster.gpu_guard import KEPT_MB, Gpu, Process, WornOutError, wait_for_memory, why_worn_out
from harness.schedule.cluster.mirrored import Storage
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.train.leftover import Leftover
from harness.train.memory import leave_gpu, limited, room
from harness.train.task import Task
from harness.train.unit import execute

DEAD = "CUDA error: an illegal memory access was encountered"


def gpu(left: Leftover = Leftover(0.0), broken: str = "") -> Gpu:  # noqa: B008 - cannot be changed
    """One with room, on which a process leaves this, and of which CUDA complains before a unit begins."""
    return Gpu(lambda: (8e9, 8e9), lambda: left, lambda: broken)


# What wears a process out


@pytest.mark.parametrize(
    ("left", "defect", "reason"),
    [
        (Leftover(0.0), False, ""),
        (Leftover(KEPT_MB), False, ""),
        (Leftover(KEPT_MB + 1), False, f"holds {KEPT_MB + 1:.0f} MB"),
        (Leftover(0.0, DEAD), False, DEAD),
        (Leftover(0.0), True, "may have broken CUDA"),
    ],
)
def test_a_process_is_worn_out_by_what_it_keeps_and_by_a_gpu_that_is_or_may_be_broken(left, defect, reason):
    process = Process()
    process.begin(gpu(left), 1.0)
    assert process.end(defect=defect) == why_worn_out(left, defect=defect)
    assert reason in process.worn_out
    assert bool(process.worn_out) == bool(reason)
    with pytest.raises(WornOutError, match=reason) if reason else nullcontext():
        process.begin(gpu(), 1.0)


def test_a_process_whose_gpu_breaks_while_it_waits_refuses_the_next_unit_and_all_after_it():
    process = Process()
    process.begin(gpu(), 1.0)
    assert not process.end(defect=False)
    for broken in (DEAD, ""):
        with pytest.raises(WornOutError, match=DEAD):
            process.begin(gpu(broken=broken), 1.0)


def test_a_process_that_never_trained_on_a_gpu_is_as_good_after_any_error():
    process = Process()
    assert not process.end(defect=True)
    assert not process.end(defect=True)


# What a unit's end is to its process


class Kept:
    """Something large that a unit holds while it fails."""


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a unit on a GPU that is stood in for; its last report, and what is alive when the process looks at itself."""

    def run_with(error: BaseException | None):
        events, alive = [], []
        held = []

        def fails(task, storage, report):
            kept = Kept()
            held.append(weakref.ref(kept))
            if error is not None:
                raise type(error)(*error.args)  # the test holds the given one, and would hold its traceback
            return {"status": "done", "error": "", "seconds": 1.0}

        def leave() -> Leftover:
            alive.append(held[0]() is not None)
            return Leftover(0.0)

        monkeypatch.setattr(ray_worker, "PROCESS", Process())
        monkeypatch.setattr(ray_worker, "execute_mirrored", fails)
        monkeypatch.setattr(ray_worker, "own_gpu", lambda: Gpu(lambda: (8e9, 8e9), leave, str))
        monkeypatch.setattr(ray_worker.ray, "get_gpu_ids", lambda: [0])
        monkeypatch.setattr(ray_worker.tune, "report", lambda result: events.append(result["event"]))
        task = make_task_for_gpu()
        asked = {"cpu": 1, "gpu": 0.5, "memory": 0}
        ray_worker.run_unit({"task": task.model_dump_json(), "storage": list(Storage()), "resources": asked})
        (event,) = events
        return ray_worker.json.loads(event), alive

    def make_task_for_gpu() -> Task:
        trial = {
            "dataset": {"name": "made", "fingerprint": "0" * 16},
            "fold": 1,
            "seed": 0,
            "clip": {"frames": 4, "size": 32, "max_stored_frames": 12},
            "validation": {},
            "training": {"epochs": 1, "batch_size": 8},
            "recipe": {"model": {"name": "x3d"}},
        }
        return Task.model_validate(
            {"trial": trial, "units": str(tmp_path), "manifest": "m", "pack": "p", "device": "cuda"}
        )

    return run_with


@pytest.mark.parametrize(
    ("error", "wears_out"),
    [
        (None, False),
        (HarnessError("a recipe that does not fit"), False),
        (StorageError("the disk is full"), False),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), False),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), False),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), False),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (torch.AcceleratorError(DEAD), True),
        (TypeError("a defect of a model"), True),
    ],
)
def test_an_error_that_nobody_expected_wears_the_process_out_and_memory_that_ran_out_does_not(error, wears_out, run):
    event, _ = run(error)
    assert event["kind"] == "ended"
    assert event["status"] == ("failed" if error else "done")
    assert (str(error) if error else "") in event["error"]
    assert bool(event.get("storage")) == isinstance(error, StorageError)
    assert ("worn_out" in event) == wears_out
    assert ("Traceback" in event["error"]) == (error is not None and not isinstance(error, HarnessError))


def test_nothing_of_a_failed_unit_is_alive_when_its_process_looks_at_itself(run):
    _, alive = run(RuntimeError(DEAD))
    assert alive == [False]


# What a process asks of CUDA


@pytest.fixture
def cuda(monkeypatch):
    """Calls of torch to a GPU, stood in for; what was called, and the answers, which may be changed."""
    called: list[str] = []
    answers = {"memory_allocated": 5_000_000, "memory_reserved": 3_000_000_000, "mem_get_info": (4e9, 16e9)}

    def stand_in(name: str):
        def call(*_: object) -> object:
            called.append(name)
            found = answers.get(name)
            if isinstance(found, BaseException):
                raise found
            return found

        return call

    names = ("synchronize", "empty_cache", "reset_peak_memory_stats", "set_per_process_memory_fraction", *answers)
    for name in names:
        monkeypatch.setattr(torch.cuda, name, stand_in(name))
    monkeypatch.setattr(torch.accelerator, "empty_host_cache", stand_in("empty_host_cache"), raising=False)
    return called, answers


def test_a_unit_s_memory_is_given_back_before_what_is_left_is_measured(cuda):
    class Cycle:
        def __init__(self) -> None:
            self.me = self

    called, _ = cuda
    cycle = weakref.ref(Cycle())
    assert leave_gpu() == Leftover(5.0)
    assert cycle() is None
    assert called == ["synchronize", "empty_cache", "empty_host_cache", "reset_peak_memory_stats", "memory_allocated"]


def test_a_broken_gpu_is_told_and_not_raised(cuda):
    called, answers = cuda
    answers["synchronize"] = torch.AcceleratorError(f"{DEAD}\nCompile with TORCH_USE_CUDA_DSA")
    assert leave_gpu() == Leftover(0.0, DEAD)
    assert called == ["synchronize"]


def test_what_a_process_holds_itself_is_room_for_its_next_unit(cuda, monkeypatch):
    monkeypatch.setattr(gpu_guard.time, "sleep", lambda seconds: pytest.fail("waited for memory of its own"))
    assert room() == (7e9, 16e9)
    wait_for_memory(7 / 16, room)


def test_the_error_that_broke_a_gpu_goes_on_when_its_share_cannot_be_given_back(cuda, source, tmp_path):
    called, answers = cuda
    task = make_task(source, tmp_path, memory_fraction=0.25, device="cuda")

    def breaks() -> None:
        with limited(task):
            answers["set_per_process_memory_fraction"] = torch.AcceleratorError(DEAD)
            raise RuntimeError("the first error")

    with pytest.raises(RuntimeError, match="the first error"):
        breaks()
    assert called == ["set_per_process_memory_fraction"] * 2


# What a unit leaves to the next

FRESH = "import sys; from harness.train.unit import Task, execute; execute(Task.model_validate_json(sys.argv[1]), id)"


@pytest.mark.slow
def test_a_unit_after_others_in_one_process_gives_the_bytes_of_one_in_a_fresh_process(source, tmp_path):
    conditions = (CLEAN_CONDITION, Condition(perturbation="gaussian_noise", severity=1))
    asked = {"training": {"epochs": 2}, "conditions": conditions, "audit": True}
    other = {"model": {"name": "resnet18_lstm", "width": 8, "hidden": 8, "layers": 1}}

    def breaks(event) -> None:
        raise KeyError(event["kind"])

    execute(make_task(source, tmp_path / "used", recipe=other, seed=5, **asked), id)
    with pytest.raises(KeyError, match="epoch"):
        execute(make_task(source, tmp_path / "used", seed=6, **asked), breaks)
    later = make_task(source, tmp_path / "used", **asked)
    execute(later, id)
    alone = make_task(source, tmp_path / "fresh", **asked)
    subprocess.run([sys.executable, "-c", FRESH, alone.model_dump_json()], check=True)
    assert contents_but_seconds(later) == contents_but_seconds(alone)
    assert all(torch.equal(value, weights(alone)[name]) for name, value in weights(later).items())
