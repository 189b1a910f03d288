"""What a table is: its columns, its key, and the version that its file carries."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

VERSION = 4
"""Written into every file. A changed schema raises it once per release and adds a step to ``migrations.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's explicit Arrow schema.

    Attributes:
        name: names the files.
        schema: columns with types; no other column may be written or read.
        key: columns that together name one row; rows are sorted by them.
        volatile: columns (times, hosts) that may differ between two runs of the same study.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    volatile: tuple[str, ...] = ()
