"""A file that exists is finished, and holds what its schema says."""

import errno
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import DamagedError, HarnessError
from harness.tables import schema, seal, store


def predictions(clips=("b", "a"), severities=(0.0,)):
    return pd.DataFrame(
        [
            {
                "trial_id": "t",
                "selection": "validation",
                "split": "test",
                "perturbation": "clean" if severity == 0 else "fog",
                "severity": np.float32(severity),
                "repeat": 0,
                "clip_id": clip,
                "group": "",
                "domain": "",
                "label": 1,
                "logits": np.array([0.1, -2.5, severity], dtype=np.float32),
            }
            for severity in severities
            for clip in clips
        ]
    )


TABLE = schema.predictions(3)


def test_what_is_written_is_read_back_sorted_by_key(tmp_path):
    path = tmp_path / "p.parquet"
    store.write(predictions(severities=(3.0, 0.0)), TABLE, path)
    back = store.read(path, TABLE)
    assert list(zip(back["severity"], back["clip_id"], strict=True)) == [(0, "a"), (0, "b"), (3, "a"), (3, "b")]
    np.testing.assert_array_equal(back["logits"].iloc[2], np.array([0.1, -2.5, 3.0], dtype=np.float32))


def test_equal_rows_make_equal_bytes_in_any_order(tmp_path):
    one, other = tmp_path / "1.parquet", tmp_path / "2.parquet"
    frame = predictions(clips=("a", "b", "c"), severities=(0.0, 1.0))
    store.write(frame, TABLE, one)
    store.write(frame.sample(frac=1, random_state=1), TABLE, other)
    assert one.read_bytes() == other.read_bytes()


def test_two_rows_with_one_key_are_refused(tmp_path):
    with pytest.raises(ValueError, match="two rows with key"):
        store.write(predictions(clips=("a", "a")), TABLE, tmp_path / "p.parquet")


@pytest.mark.parametrize("change", [lambda f: f.drop(columns="label"), lambda f: f.assign(extra=1)])
def test_a_missing_or_unknown_column_is_refused(tmp_path, change):
    with pytest.raises(ValueError, match="missing columns"):
        store.write(change(predictions()), TABLE, tmp_path / "p.parquet")
    assert list(tmp_path.iterdir()) == []


def test_logits_of_another_class_count_are_refused(tmp_path):
    with pytest.raises(pa.ArrowInvalid):
        store.write(predictions(), schema.predictions(7), tmp_path / "p.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(HarnessError, match=r"p\.parquet is damaged: .* Run its study again"):
        store.read(path, TABLE)


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


@pytest.mark.parametrize("turn", range(2))
def test_no_changed_bit_gives_another_number(tmp_path, turn):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    content, written = path.read_bytes(), store.read(path, TABLE)
    found = Counter[str]()
    for place in range(turn, len(content), 3):
        path.write_bytes(flipped(content, place, (place + 5 * turn) % 8))
        try:
            pd.testing.assert_frame_equal(store.read(path, TABLE), written)
            found["unharmed"] += 1
        except DamagedError:
            assert store.flaw(path), "what reading refuses is found by looking, too"
            found["refused"] += 1
    assert found["refused"] > 10 * found["unharmed"], "the first letters, headers of pages and the seal's mark are left"


def test_every_bit_of_a_footer_is_sealed(tmp_path):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    content = path.read_bytes()
    start = content.index(seal.MARK) + seal.LENGTH
    for place in range(start, len(content)):
        path.write_bytes(flipped(content, place, place % 8))
        with pytest.raises(DamagedError):
            store.read(path, TABLE)


def test_a_file_of_before_there_were_seals_is_read(tmp_path):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    content, written = path.read_bytes(), store.read(path, TABLE)
    start = content.index(seal.MARK)
    path.write_bytes(content[:start] + content[start + seal.LENGTH :])
    pd.testing.assert_frame_equal(store.read(path, TABLE), written)
    assert store.flaw(path) == ""


def test_a_file_sealed_in_place_is_the_file_sealed_in_memory(tmp_path):
    pq.write_table(store.to_arrow(predictions(), TABLE), tmp_path / "p.parquet")
    content = (tmp_path / "p.parquet").read_bytes()
    seal.seal(tmp_path / "p.parquet")
    assert (tmp_path / "p.parquet").read_bytes() == seal.sealed(content)
    assert seal.holds(tmp_path / "p.parquet")


def test_shortage_of_memory_is_not_taken_for_damage(tmp_path, monkeypatch):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)

    def fails(*_: object, **__: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 16777216 failed")

    monkeypatch.setattr(pq, "ParquetFile", fails)
    for reading in (store.flaw, lambda path: store.read(path, TABLE)):
        with pytest.raises(MemoryError, match="malloc"):
            reading(path)


@pytest.mark.parametrize(("version", "says"), [(b"0", "not a table that dferbench wrote"), (b"9999", "Upgrade")])
def test_a_file_of_an_unknown_version_is_refused(tmp_path, version, says):
    path = tmp_path / "p.parquet"
    arrow = store.to_arrow(predictions(), TABLE)
    pq.write_table(arrow.replace_schema_metadata({b"dferbench.version": version}), path)
    with pytest.raises(HarnessError, match=says):
        store.read(path, TABLE)


def test_a_file_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    with pytest.raises(HarnessError, match="is not a epochs table"):
        store.read(path, schema.EPOCHS)
    with pytest.raises(HarnessError, match="is not a predictions table"):
        store.read(path, schema.predictions(7))


def test_texts_can_be_read_without_an_object_for_each_row(tmp_path):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    encoded = store.read_arrow(path, TABLE, ["clip_id", "label"], dictionaries=True)
    assert pa.types.is_dictionary(encoded.schema.field("clip_id").type)
    plain = store.read_arrow(path, TABLE, ["clip_id", "label"])
    assert encoded.column("clip_id").to_pylist() == plain.column("clip_id").to_pylist()


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path):
    path = tmp_path / "fold=3" / "p.parquet"
    store.write(predictions(), TABLE, path)
    assert list(store.read(path, TABLE)) == TABLE.schema.names
    assert list(store.read_columns(path, ["clip_id"])) == ["clip_id"]


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(HarnessError, match="Run the study first"):
        store.read(tmp_path / "none.parquet", TABLE)


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    store.write_text("old", path)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store.write_text("new", path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_no_files_read_as_an_empty_table_with_all_columns():
    assert list(store.read_many([], TABLE).columns) == TABLE.schema.names


def test_keys_and_volatile_columns_exist_in_their_schemas():
    for table in (TABLE, schema.EPOCHS, schema.TRIALS, schema.METRICS):
        assert set(table.key) | set(table.volatile) <= set(table.schema.names)
        assert not set(table.key) & set(table.volatile)


def test_a_file_that_storage_does_not_give_is_not_taken_for_a_damaged_one(tmp_path, monkeypatch):
    path = tmp_path / "p.parquet"
    store.write(predictions(), TABLE, path)
    assert store.flaw(path) == ""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(64) + content[len(content) // 2 + 64 :])
    assert store.flaw(path)
    path.write_bytes(content)

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(pq, "ParquetFile", fails)
    for reading in (store.flaw, store.made_of, lambda path: store.read(path, TABLE)):
        with pytest.raises(OSError, match="Input/output error"):
            reading(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        store.flaw(path)
