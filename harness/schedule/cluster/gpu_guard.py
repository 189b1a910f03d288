"""A trial on a GPU looks first: is it one that was given to it, and is there room on it?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from harness.errors import HarnessError

PATIENCE_SECONDS = 60.0
"""A process that was killed a moment ago may still hold its memory."""
LOOK_SECONDS = 2.0
NEEDED_ALONE = 0.25
"""Share of a GPU's memory that must be free for a trial that has the GPU to itself."""

Free = Callable[[], tuple[float, float]]


def check_given(ids: Sequence[object], device: str) -> None:
    """Refuse to train on a GPU that the scheduler did not give: every process sees the first one.

    Raises:
        HarnessError: if the trial is to use a GPU and was given none.
    """
    if device == "cuda" and not ids:
        raise HarnessError("This trial is to use a GPU, but Ray gave it none. Set resources.gpus above 0.")


def wait_for_memory(fraction: float | None, free: Free) -> None:
    """Wait until a GPU has room for a trial.

    Args:
        fraction: share of its memory that the trial may take; ``None`` if the GPU is the trial's own.
        free: free and total bytes, as ``torch.cuda.mem_get_info`` gives them.

    Raises:
        HarnessError: if others still hold it after ``PATIENCE_SECONDS``.
    """
    needed, deadline = fraction or NEEDED_ALONE, time.monotonic() + PATIENCE_SECONDS
    while True:
        left, total = free()
        if left >= needed * total:
            return
        if time.monotonic() > deadline:
            raise HarnessError(
                f"The GPU has {left / 1e6:.0f} of {total / 1e6:.0f} MB free, and this trial needs "
                f"{needed * total / 1e6:.0f}. Another process holds the rest (see nvidia-smi); end it, or give each "
                "trial a larger share: resources.gpus."
            )
        time.sleep(LOOK_SECONDS)
