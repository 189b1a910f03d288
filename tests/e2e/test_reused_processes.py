"""Which processes Ray Tune trains in: one after another in the same, none in one that is worn out or dead.

Units here train nothing: what a unit does, and what a process says of its GPU, is stood in for. Everything between is
what a study runs on.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import pytest
import ray

from harness.plan import Unit
from harness.schedule.brain import Brain
from harness.schedule.cluster import ray_tune
from harness.schedule.cluster.mirrored import Storage
from harness.schedule.cluster.placing import Request
from harness.schedule.cluster.ray_searcher import Ground, UnitSearcher
from harness.schedule.session import Session
from harness.spec.trial import TrialSpec
from harness.train.task import Task

PLAIN, BREAKS, LAST_BEFORE_A_PAUSE, AFTER_THE_PAUSE, WANTS_ALL = range(5)
HALF, WHOLE = "half a GPU", "a whole GPU"
SECONDS_TO_DIE = 20.0


def unit(number: int) -> Unit:
    """Named by its seed."""
    trial = TrialSpec.model_validate(
        {
            "dataset": {"name": "made", "fingerprint": "0" * 16},
            "fold": 1,
            "seed": number,
            "clip": {"frames": 4, "size": 32, "max_stored_frames": 12},
            "validation": {},
            "training": {"epochs": 1, "batch_size": 8},
            "recipe": {"model": {"name": "x3d"}},
        }
    )
    method = WHOLE if number == WANTS_ALL else HALF
    return Unit(method=method, phase="confirm", configuration=0, trial=trial)


class Pausing(Brain):
    """A brain whose units go in order; after one of them nothing is ready until it is told so."""

    def __init__(self) -> None:
        self.waiting = deque(map(unit, range(5)))
        self.ready = threading.Event()
        self.given_back: list[int] = []
        self.errors: dict[int, str] = {}
        self.running = 0

    @property
    def done(self) -> bool:
        return not self.waiting and not self.running

    def next(self) -> Unit | None:
        paused = self.waiting and self.waiting[0].trial.seed == AFTER_THE_PAUSE and not self.ready.is_set()
        if not self.waiting or paused or self.running:
            return None
        self.running = 1
        return self.waiting.popleft()

    def finished(self, one: Unit, error: str = "") -> None:
        self.running = 0
        self.errors[one.trial.seed] = error

    def give_back(self, one: Unit) -> None:
        self.running = 0
        self.given_back.append(one.trial.seed)
        self.waiting.appendleft(one)


class Placed(Session):
    """A session as the searcher knows one."""

    def __init__(self) -> None:
        pass

    def task(self, one: Unit) -> Task:
        return Task(trial=one.trial, units="units", manifest="manifest", pack="pack", device="cuda")


@pytest.fixture
def machine():
    """Ray that counts one GPU; there need not be any."""
    ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, logging_level=50)
    yield
    ray.shutdown()


def stand_in_for_run_unit(log: Path):
    """What a worker runs in its place: itself, without training, and on a GPU that is always well."""

    def run_unit(config) -> None:
        from harness.schedule.cluster import ray_worker
        from harness.schedule.cluster.gpu_guard import Gpu
        from harness.train.leftover import Leftover

        def execute(task, storage, report):
            with log.open("a") as file:
                file.write(f"{task.trial.seed} {os.getpid()}\n")
            if task.trial.seed == BREAKS:
                raise RuntimeError("CUDA error: device-side assert triggered")
            return {"status": "done", "error": "", "seed": task.trial.seed, "pid": os.getpid()}

        ray_worker.execute_mirrored = execute
        ray_worker.own_gpu = lambda: Gpu(lambda: (8e9, 8e9), lambda: Leftover(0.0), str)
        ray_worker.run_unit(config)

    return run_unit


@pytest.fixture
def failures(monkeypatch):
    """Trials of Tune that failed, one entry for each time."""
    found = []

    class Counting(ray_tune.Reuse):
        def on_trial_error(self, tune_controller, trial):
            found.append(trial.trial_id)
            super().on_trial_error(tune_controller, trial)

    monkeypatch.setattr(ray_tune, "Reuse", Counting)
    return found


def living(pids: Iterable[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
@pytest.mark.uses_global_rng
def test_a_process_is_used_again_but_not_a_worn_out_or_dead_one_or_one_of_other_resources(
    machine, failures, tmp_path, monkeypatch, caplog
):
    log, brain = tmp_path / "log", Pausing()

    def kill(pid: int) -> None:
        time.sleep(1.0)
        os.kill(pid, signal.SIGKILL)
        brain.ready.set()

    def on_event(one: Unit, event) -> None:
        if event["kind"] == "ended" and event.get("seed") == LAST_BEFORE_A_PAUSE:
            threading.Thread(target=kill, args=(event["pid"],)).start()

    asked = {HALF: Request(1, 0.5), WHOLE: Request(1, 1)}
    searcher = UnitSearcher(Placed(), brain, on_event, Ground(asked, Storage()))
    monkeypatch.setattr(ray_tune, "run_unit", stand_in_for_run_unit(log))
    ray_tune._fit(searcher, ray_tune.Limits(slots=1, failures=2), tmp_path / "tune")

    started = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
    assert [number for number, _ in started] == list(range(5)), "each unit ran, in order, and none twice"
    pids = dict(started)
    assert pids[PLAIN] == pids[BREAKS]
    assert len({pids[BREAKS], pids[LAST_BEFORE_A_PAUSE], pids[AFTER_THE_PAUSE], pids[WANTS_ALL]}) == 4
    assert "device-side assert" in brain.errors.pop(BREAKS)
    assert set(brain.errors.values()) == {""}
    assert brain.given_back == [AFTER_THE_PAUSE]
    assert len(failures) == 2, (
        "the dead process alone counts, once when it is noticed and once when its unit is given up"
    )
    assert "is not used again: a trial failed in it" in caplog.text
    deadline = time.monotonic() + SECONDS_TO_DIE
    while living(pids.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not living(pids.values())
