"""A seal on a parquet file's footer, which the checksums of pages leave out.

The footer says where columns lie and how many rows there are, and one changed bit in it can give other numbers.
The seal is a mark and the footer's SHA-256 in the bytes before the footer. Nothing in the file points there, so other
readers pass it by; a file without one was written before there were seals.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

MARK = b"dferbench.footer"
LENGTH = len(MARK) + hashlib.sha256().digest_size
ENDING = 8
"""The footer's length in four bytes, and four letters (Apache Parquet format, file layout)."""


def sealed(content: bytes) -> bytes:
    """A parquet file's bytes with a seal.

    >>> sealed(b"PAR1" + b"pages" + b"footer" + (6).to_bytes(4, "little") + b"PAR1")[9:25]
    b'dferbench.footer'
    """
    start = len(content) - ENDING - _footer_length(content)
    return content[:start] + _seal(content[start:]) + content[start:]


def seal(path: Path) -> None:
    """Put a seal on a file that nobody reads yet."""
    with path.open("r+b") as file:
        tail = _tail(file, 0)
        file.seek(-len(tail), 2)
        file.write(_seal(tail) + tail)


def holds(path: Path) -> bool:
    """Whether a file's footer is as it was written, as far as its seal tells."""
    with path.open("rb") as file:
        found = _tail(file, LENGTH)
    return not found.startswith(MARK) or found[:LENGTH] == _seal(found[LENGTH:])


def _seal(tail: bytes) -> bytes:
    return MARK + hashlib.sha256(tail).digest()


def _tail(file: BinaryIO, before: int) -> bytes:
    """A file from its footer on, and as many bytes before it; all of it, if it is shorter."""
    size = file.seek(0, 2)
    file.seek(-min(size, ENDING), 2)
    wanted = before + _footer_length(file.read()) + ENDING
    file.seek(-min(size, wanted), 2)
    return file.read()


def _footer_length(end: bytes) -> int:
    return int.from_bytes(end[-ENDING:-4], "little")
