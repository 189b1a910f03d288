"""A file that exists is finished: write under another name, flush to disk, rename."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import DamagedError, HarnessError
from harness.tables import seal
from harness.tables.migrations import migrated
from harness.tables.schema import VERSION, Table
from harness.tables.temporary import hidden_name

UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError, KeyError)
"""What pyarrow raises for files that are not as they were written."""
MADE_OF = b"dferbench.made_of"


def write_bytes(content: bytes, path: Path) -> None:
    """Publish a file atomically: a reader sees the whole of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.parent / hidden_name(path.name)
    try:
        with hidden.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Publish a UTF-8 text file atomically."""
    write_bytes(text.encode(), path)


def to_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """A data frame as the table's explicit schema, sorted by its key.

    Raises:
        ValueError: if a column is missing or unknown, or two rows share a key.
    """
    expected, seen = list(table.schema.names), list(frame.columns)
    if set(expected) != set(seen):
        missing, extra = sorted(set(expected) - set(seen)), sorted(set(seen) - set(expected))
        raise ValueError(f"table {table.name}: missing columns {missing}, unknown columns {extra}")
    key = list(table.key)
    duplicated = frame.duplicated(subset=key)
    if duplicated.any():
        raise ValueError(f"table {table.name}: two rows with key {frame.loc[duplicated, key].iloc[0].to_dict()}")
    ordered = frame.sort_values(key, kind="stable")[expected]
    return pa.Table.from_pandas(ordered, schema=table.schema, preserve_index=False, safe=True)


def write(frame: pd.DataFrame, table: Table, path: Path, made_of: Sequence[str] = ()) -> None:
    """Write a table atomically, with its version in the file's metadata, and digests of what it was made of.

    Every page has its CRC and the footer its seal, which reading looks at: damage is an error and no other number.
    """
    arrow = to_arrow(frame, table)
    metadata = {b"dferbench.table": table.name.encode(), b"dferbench.version": str(VERSION).encode()}
    if made_of:
        metadata[MADE_OF] = " ".join(made_of).encode()
    arrow = arrow.replace_schema_metadata(metadata)
    strings = [field.name for field in table.schema if pa.types.is_string(field.type)]
    sink = pa.BufferOutputStream()
    pq.write_table(arrow, sink, compression="zstd", use_dictionary=strings, write_page_checksum=True)
    write_bytes(seal.sealed(sink.getvalue().to_pybytes()), path)


def read_arrow(path: Path, table: Table, columns: list[str] | None = None, *, dictionaries: bool = False) -> pa.Table:
    """Read a table as Arrow; a file of an older version is brought up to date in memory and left as it is on disk.

    Args:
        path: the file.
        table: what it must hold.
        columns: read these alone.
        dictionaries: leave texts dictionary-encoded, which saves a Python object per row.

    Raises:
        HarnessError: if the file is missing, of a newer version or of another schema.
        DamagedError: if it is not as it was written.
    """
    if not path.exists():
        raise HarnessError(f"There is no {table.name} table at {path}. Run the study first.")
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)] if dictionaries else None
    with _opened(path, texts) as file:
        version = _version(file, path)
        found = file.read(columns if version == VERSION else None)
    names = columns or table.schema.names
    found = migrated(found, table.name, version)
    if set(names) <= set(found.schema.names) and columns is not None:
        found = found.select(names)
    wanted = pa.schema([table.schema.field(name) for name in names])
    if not _decoded(found.schema).equals(wanted):
        raise HarnessError(f"{path} is not a {table.name} table: {found.schema.names} instead of {wanted.names}.")
    return found


def _version(file: pq.ParquetFile, path: Path) -> int:
    """The version a file was written with.

    Raises:
        HarnessError: if it says none, or is newer than this dferbench.
    """
    text = (file.schema_arrow.metadata or {}).get(b"dferbench.version", b"none").decode()
    if not text.isdecimal() or int(text) < 1:
        raise HarnessError(f"{path} has table version {text}: it is not a table that dferbench wrote.")
    if int(text) > VERSION:
        raise HarnessError(
            f"{path} has table version {text}, this dferbench reads versions up to {VERSION}. Upgrade dferbench."
        )
    return int(text)


def _decoded(schema: pa.Schema) -> pa.Schema:
    """A schema with the types of what dictionaries hold."""
    return pa.schema(
        [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema]
    )


def read(path: Path, table: Table, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table as a data frame, with the checks of ``read_arrow``."""
    frame: pd.DataFrame = read_arrow(path, table, columns).to_pandas()
    return frame


def width_of(path: Path, column: str) -> int:
    """How many numbers each list of a column holds, from the file's footer.

    Raises:
        HarnessError: if the column holds no lists of one length.
        DamagedError: if the file is not as it was written.
    """
    with _opened(path) as file:
        kind = file.schema_arrow.field(column).type
    if not pa.types.is_fixed_size_list(kind):
        raise HarnessError(f"{path}: column {column} holds {kind}, not lists of one length.")
    return int(kind.list_size)


def made_of(path: Path) -> list[str]:
    """Digests of what a table says it was made of; none if it says nothing.

    Raises:
        DamagedError: if the file is not as it was written.
    """
    with _opened(path) as file:
        return _told(file)


def read_columns(path: Path, columns: list[str]) -> pd.DataFrame:
    """A few columns of one of our own files, without knowing its class count.

    Raises:
        DamagedError: if the file is not as it was written.
    """
    return read_told(path, columns)[0]


def read_told(path: Path, columns: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """As ``read_columns``, and as ``made_of``, of a file that is opened once."""
    with _opened(path) as file:
        frame: pd.DataFrame = file.read(columns).to_pandas()
        return frame, _told(file)


def _told(file: pq.ParquetFile) -> list[str]:
    said: list[str] = (file.schema_arrow.metadata or {}).get(MADE_OF, b"").decode(errors="replace").split()
    return said


def flaw(path: Path) -> str:
    """What is wrong with a file of ours, read whole a row group at a time; empty if nothing is.

    Raises:
        OSError: if storage does not give the file, which says nothing of what is in it.
    """
    try:
        with _opened(path) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group)
    except DamagedError as error:
        return error.reason
    return ""


@contextmanager
def _opened(path: Path, texts: list[str] | None = None) -> Iterator[pq.ParquetFile]:
    """A file whose footer and pages are checked while they are read; ``texts`` stay dictionary-encoded.

    Raises:
        DamagedError: if it is not as it was written.
        OSError: if storage does not give it, or MemoryError: if there is no room for it; neither says that it is
            damaged.
    """
    try:
        if not seal.holds(path):
            raise DamagedError(path, "its footer is not what was written")
        with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
            yield file
    except MemoryError:
        raise
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DamagedError(path, f"it is not readable parquet: {error}") from error


def read_many(paths: Iterable[Path], table: Table, columns: list[str] | None = None) -> pd.DataFrame:
    """The rows of several files of one table, one after another; an empty frame of the right columns for none."""
    frames = [read(path, table, columns) for path in paths]
    if not frames:
        empty: pd.DataFrame = table.schema.empty_table().select(columns or table.schema.names).to_pandas()
        return empty
    return pd.concat(frames, ignore_index=True)
