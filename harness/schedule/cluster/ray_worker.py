"""What runs in Ray's worker processes: a unit, or the measurement of one."""

from __future__ import annotations

import harness.schedule.cluster.ray_environment  # noqa: F401 - before Ray

# isort: split

import json
import traceback
from collections.abc import Mapping
from typing import Any

import ray
from ray import tune

from harness.errors import HarnessError, StorageError
from harness.schedule.cluster.gpu_guard import check_given, wait_for_memory
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.cluster.mirrored import Storage, bring_inputs, execute_mirrored
from harness.schedule.cluster.packing import Measured


def run_unit(config: dict[str, Any]) -> None:
    """Run one unit in a Tune worker; every event is one report, as JSON because Tune takes nested ones apart."""
    from harness.train.unit import Task

    def report(event: Mapping[str, Any]) -> None:
        tune.report({"event": json.dumps(event, default=float)})

    try:
        task = Task.model_validate_json(config["task"])
        check_given(ray.get_gpu_ids(), task.device)
        if task.device == "cuda":
            import torch

            wait_for_memory(task.memory_fraction, torch.cuda.mem_get_info)
        record = execute_mirrored(task, Storage(*config["storage"]), report)
        report({"kind": "ended", **record})
    except StorageError as problem:
        report({"kind": "ended", "status": "failed", "error": str(problem), "storage": True})
    except HarnessError as problem:
        report({"kind": "ended", "status": "failed", "error": str(problem)})
    except Exception:
        # A defect of this unit is reported whole, so that Tune does not retry it and the other units go on.
        report({"kind": "ended", "status": "failed", "error": traceback.format_exc()})


def measure_unit(task_json: str, storage: tuple[str, str]) -> Measured:
    """What a unit takes of a GPU, measured on a training step and an evaluation of one batch."""
    import torch

    from harness.train.memory import measure
    from harness.train.unit import Task

    task = Task.model_validate_json(task_json)
    where = Storage(*storage)
    if where.manifest_hash:
        bring_inputs(task, where, Mirror.of_units(where.uri, task.units))
    return Measured(measure(task).reserved, torch.cuda.mem_get_info()[1] / 1e6)
