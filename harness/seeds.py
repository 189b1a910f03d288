"""A seed is the hash of what it is for; an identity is the hash of what it says."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: keys sorted, no spaces, no NaN.

    Raises:
        ValueError: for NaN and infinities, which have no JSON form.
        TypeError: for values that JSON does not know.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any, length: int = 16) -> str:
    """Hexadecimal SHA-256 prefix of a value's canonical JSON (``length`` digits)."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def derive(*parts: str | int | float) -> int:
    """A 63-bit seed for the named purpose; equal parts give the equal seed on every machine.

    >>> derive(7, "fit") == derive(7, "fit"), derive(7, "fit") == derive(7, "stress")
    (True, False)
    """
    return int(hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()[:16], 16) >> 1
