"""What runs in Ray's worker processes: a unit, or the measurement of one."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import json
import traceback
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import ray
from ray import tune

from harness.errors import HarnessError, StorageError
from harness.schedule.cluster.gpu_guard import Gpu, Process, WornOutError, check_given
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.cluster.mirrored import Storage, bring_inputs, execute_mirrored
from harness.schedule.cluster.packing import CONTEXT_MB, Measured

PROCESS = Process()
"""This process, which Tune gives one unit after another."""
Report = Callable[[Mapping[str, Any]], None]


def run_unit(config: dict[str, Any]) -> None:
    """Run one unit in a Tune worker; every event is one report, as JSON because Tune takes nested ones apart.

    Raises:
        WornOutError: if no unit must run in this process any more. Tune then places this one in another.
    """

    def report(event: Mapping[str, Any]) -> None:
        tune.report({"event": json.dumps(event, default=float)})

    outcome, defect = _attempt(config, report)
    worn_out = PROCESS.end(defect=defect)
    report({"kind": "ended", **outcome, **({"worn_out": worn_out} if worn_out else {})})


def _attempt(config: dict[str, Any], report: Report) -> tuple[dict[str, Any], bool]:
    """What became of a unit, and whether it met a defect; when this returns, nothing refers to its tensors any more."""
    from harness.train.train import is_out_of_memory
    from harness.train.unit import Task

    try:
        task = Task.model_validate_json(config["task"])
        check_given(ray.get_gpu_ids(), task.device)
        if task.device == "cuda":
            fraction = PROCESS.begin(own_gpu(), float(config["resources"]["gpu"]))
            task = task.model_copy(update={"memory_fraction": fraction})
        return execute_mirrored(task, Storage(*config["storage"]), report), False
    except WornOutError:
        raise
    except StorageError as problem:
        return {"status": "failed", "error": str(problem), "storage": True}, False
    except HarnessError as problem:
        return {"status": "failed", "error": str(problem)}, False
    except Exception as error:
        # A defect of this unit is reported whole, so that Tune does not retry it and the other units go on.
        defect = not (isinstance(error, RuntimeError) and is_out_of_memory(error))
        return {"status": "failed", "error": traceback.format_exc()}, defect


def own_gpu() -> Gpu:
    """The GPU that Ray gave this process."""
    from harness.train.memory import broken_gpu, leave_gpu, room

    return Gpu(room, leave_gpu, broken_gpu)


def measure_unit(task_json: str, storage: tuple[str, str]) -> Measured:
    """What a unit takes of a GPU, measured on a training step and an evaluation of one batch.

    It has the GPU to itself, so what this process can have, and CUDA's own memory in it, is what there is for units.
    """
    from harness.train.memory import measure, room
    from harness.train.train import is_out_of_memory
    from harness.train.unit import Task

    task = Task.model_validate_json(task_json)
    where = Storage(*storage)
    if where.manifest_hash:
        bring_inputs(task, where, Mirror.of_units(where.uri, task.units))
    try:
        reserved = measure(task).reserved
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        reserved = inf
    left, total = room()
    return Measured(reserved, min(left / 1e6 + CONTEXT_MB, total / 1e6))
