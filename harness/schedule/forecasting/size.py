"""How much something takes, for people."""

from __future__ import annotations


def size(num_bytes: int) -> str:
    """Bytes in powers of ten.

    >>> size(1_234_567)
    '1.2 MB'
    """
    if num_bytes < 1000:
        return f"{num_bytes} B"
    thousands = min(4, (len(str(num_bytes)) - 1) // 3)
    return f"{num_bytes / 1000**thousands:.1f} {'kMGT'[thousands - 1]}B"
