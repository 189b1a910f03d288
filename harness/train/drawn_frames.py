"""Which frames of which clip a training reads in each epoch: reproduced from its seeds, without training it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.data.clip import Fold
from harness.data.store import thin
from harness.tables.schema import FRAMES, VERSION
from harness.tables.seal import seal
from harness.tables.temporary import hidden_name
from harness.train.batches import ClipReader, Drawn
from harness.train.predict import EVALUATION_BATCH


def drawn_frames(reader: ClipReader, fold: Fold, seed: int, batch_size: int, epochs: int) -> Iterator[pa.Table]:
    """One table for each epoch of training clips, then one for validation and test clips, which have epoch 0.

    The draws are those of ``ClipReader``, which reads by the same functions; they depend on the seed, the fold and the
    clip specification, not on the method.
    """
    for epoch in range(1, epochs + 1):
        drawn = reader.drawn_shuffled(fold.train, batch_size, seed, epoch)
        yield _table(reader, (fold.index, seed, "train", epoch), drawn)
    for split, clip_ids in (("val", fold.val), ("test", fold.test)):
        yield _table(reader, (fold.index, seed, split, 0), reader.drawn_in_order(clip_ids, EVALUATION_BATCH))


def write_parts(parts: Iterable[pa.Table], path: Path) -> None:
    """Write tables into one file, of which a reader sees all or nothing; one of them is in memory at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.parent / hidden_name(path.name)
    metadata = {b"dferbench.table": FRAMES.name.encode(), b"dferbench.version": str(VERSION).encode()}
    schema = FRAMES.schema.with_metadata(metadata)
    try:
        with pq.ParquetWriter(hidden, schema, compression="zstd", write_page_checksum=True) as writer:
            for part in parts:
                writer.write_table(part.replace_schema_metadata(metadata))
        seal(hidden)
        with hidden.open("rb") as file:
            os.fsync(file.fileno())
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)


def _table(reader: ClipReader, key: tuple[int, int, str, int], drawn: Iterable[Drawn]) -> pa.Table:
    """The batches of one epoch as rows, in the order in which they are read."""
    batches = list(drawn)
    rows = [
        (number, clip_id, indices, _in_source(reader, clip_id, indices))
        for number, batch in enumerate(batches)
        for clip_id, indices in zip(batch.clip_ids, batch.indices, strict=True)
    ]
    count = len(rows)
    columns = {
        **{name: [value] * count for name, value in zip(("fold", "seed", "split", "epoch"), key, strict=True)},
        "batch": [row[0] for row in rows],
        "clip_id": [row[1] for row in rows],
        "stored_frames": [row[2] for row in rows],
        "source_frames": [row[3] for row in rows],
    }
    return pa.Table.from_pydict(columns, schema=FRAMES.schema)


def _in_source(reader: ClipReader, clip_id: str, indices: np.ndarray) -> np.ndarray:
    """The frames' numbers in the clip's own video, of which long ones were thinned when they were packed."""
    place = reader.store.places[clip_id]
    kept: np.ndarray = thin(place.source_frames, place.num_frames)[indices]
    return kept
