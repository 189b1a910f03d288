"""What a file is made of, told by its content: no clock has a say in it, and a copy is the same file."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MADE_OF = b"dferbench.made_of"


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def made_of(path: Path) -> list[str]:
    """Digests of the files that a table says it was made of; none if it says nothing or cannot be read."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        return []
    said: list[str] = metadata.get(MADE_OF, b"").decode(errors="replace").split()
    return said
