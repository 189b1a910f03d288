"""What a process leaves on its GPU after a unit."""

from __future__ import annotations

from typing import NamedTuple


class Leftover(NamedTuple):
    """What is left when a unit's memory was given back.

    Attributes:
        held_mb: memory of tensors that something still refers to, in MB of 10^6 bytes.
        broken: what CUDA complains of when it is asked to finish its work; empty if it does not.
    """

    held_mb: float
    broken: str = ""
