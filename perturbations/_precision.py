"""Convolutions in the full precision of float32, whatever networks are allowed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

FULL = {"none", "ieee"}
"""What a backend's precision is called where it rounds no factor."""


@contextmanager
def full_precision(values: Tensor) -> Iterator[None]:
    """Within it, depthwise convolutions on the device of ``values`` round no factor to fewer than 24 bits.

    On CUDA cuDNN is left out, which may compute in TF32; torch's own depthwise kernel does not. On the CPU oneDNN may
    compute in bfloat16 or TF32 where it is told to. torch's older switches of precision are not even read: once one of
    the newer ones was set, reading them is an error.
    """
    if values.is_cuda:
        before = torch.backends.cudnn.enabled
        torch.backends.cudnn.enabled = False
        try:
            yield
        finally:
            torch.backends.cudnn.enabled = before
    else:
        with _full_on_the_processor():
            yield


@contextmanager
def _full_on_the_processor() -> Iterator[None]:
    """OneDNN's convolutions in full precision; what was inherited from all backends is inherited again afterwards."""
    of_convolutions: Any = torch.backends.mkldnn.conv  # type: ignore[attr-defined]  # torch swaps the module for an object
    before = of_convolutions.fp32_precision
    if before in FULL:
        yield
        return
    of_convolutions.fp32_precision = "ieee"
    try:
        yield
    finally:
        of_convolutions.fp32_precision = "none"
        if of_convolutions.fp32_precision != before:
            of_convolutions.fp32_precision = before
