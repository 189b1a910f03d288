"""What a number was made with: versions, commit, device."""

from __future__ import annotations

import platform
import resource
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

import harness

PACKAGES = ("torch", "torchvision", "numpy", "kornia", "pytorch-optimizer", "av", "pyarrow")


@cache
def versions() -> dict[str, str]:
    """Versions of Python, dferbench and the packages that touch pixels and weights."""
    found = {"python": platform.python_version(), "dferbench": harness.__version__}
    return found | {package: version(package) for package in PACKAGES}


@cache
def git_commit() -> str:
    """The commit dferbench runs from, with ``-dirty`` for uncommitted changes; empty outside a checkout."""
    folder = Path(harness.__file__).parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 - the user's own git
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return described.stdout.strip() if described.returncode == 0 else ""


def device_name(device: torch.device) -> str:
    """For example ``NVIDIA H100 80GB HBM3`` or ``cpu x86_64``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} {platform.machine()}"


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory of the device (GPU) or of the process (CPU), in MB of 10^6 bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    return _peak_resident_kib() * 1024 / 1e6


def forget_peak(device: torch.device) -> None:
    """Measure the peak from here on, so that a process does not report an earlier unit's.

    Of a CPU's, what the process holds now is the least, and only Linux lets it be forgotten (``proc(5)``, clear_refs).
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_resident_kib() -> int:
    """Peak resident set in KiB: of this program where /proc tells, since rusage's peak is inherited from the parent."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
