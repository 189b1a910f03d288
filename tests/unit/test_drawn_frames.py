"""Recorded frames are those that training and evaluation read, and come from seeds alone."""

from collections import defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny_clips import textured_frames, write_dfew_lists, write_video

from harness.data.clip_store import ClipStore
from harness.data.split import carve
from harness.data.store import pack
from harness.datasets.dfew import dfew
from harness.spec.trial import ClipSpec, ValidationSpec
from harness.tables import schema, store
from harness.train.batches import ClipReader
from harness.train.drawn_frames import drawn_frames, write_parts
from harness.train.predict import EVALUATION_BATCH


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A reader of 28 clips, of which some are longer than the store keeps, and their first fold."""
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "cache"))
    labels = {f"{number:05d}": (1, 3)[number % 2] for number in range(1, 29)}
    write_dfew_lists(tmp_path / "DFEW", labels)
    for number, clip_id in enumerate(labels):
        frames = textured_frames(6 + number % 9, size=16, seed=number)
        write_video(tmp_path / "DFEW" / "Clip" / "clip_224x224_mp4" / f"{clip_id}.mp4", frames)
    source = dfew.open(tmp_path / "DFEW", {"classes": ["Happy", "Neutral"]})
    clips = pack(source, 16, 10, workers=1).store
    clip = ClipSpec(frames=4, size=16, max_stored_frames=10)
    return ClipReader(source=source, store=clips, clip=clip), carve(source, 1, ValidationSpec())


def test_recorded_frames_are_those_that_the_store_is_asked_for(opened, tmp_path, monkeypatch):
    reader, fold = opened
    read: dict[tuple[str, int], list] = defaultdict(list)
    key = ("", 0)
    original = ClipStore.batch

    def spy(self, clip_ids, indices, out=None):
        read[key].extend(zip(clip_ids, indices.tolist(), strict=True))
        return original(self, clip_ids, indices, out)

    monkeypatch.setattr(ClipStore, "batch", spy)
    for epoch in (1, 2):
        key = ("train", epoch)
        list(reader.shuffled(fold.train, 5, seed=3, epoch=epoch))
    for split, ids in (("val", fold.val), ("test", fold.test)):
        key = (split, 0)
        list(reader.in_order(ids, EVALUATION_BATCH))
    monkeypatch.setattr(ClipStore, "batch", None)

    write_parts(drawn_frames(reader, fold, 3, 5, 2), tmp_path / "frames.parquet")
    recorded: dict[tuple[str, int], list] = defaultdict(list)
    table = store.read_arrow(tmp_path / "frames.parquet", schema.FRAMES).to_pylist()
    for row in table:
        recorded[row["split"], row["epoch"]].append((row["clip_id"], row["stored_frames"]))
    assert recorded == read
    assert recorded["train", 1] != recorded["train", 2]
    assert {row["batch"] for row in table if row["epoch"] == 1} == set(range(-(-len(fold.train) // 5)))


def test_recorded_frames_are_told_in_the_numbers_of_the_video_too(opened):
    reader, fold = opened
    rows = [row for part in drawn_frames(reader, fold, 0, 8, 1) for row in part.to_pylist()]
    thinned = 0
    for row in rows:
        place = reader.store.places[row["clip_id"]]
        kept = np.linspace(0, place.source_frames - 1, place.num_frames).round().astype(int)
        assert row["source_frames"] == kept[row["stored_frames"]].tolist()
        thinned += place.source_frames > place.num_frames
    assert thinned


def test_another_seed_draws_other_frames_of_the_same_clips(opened):
    reader, fold = opened
    one, other = (next(drawn_frames(reader, fold, seed, 8, 1)) for seed in (0, 1))
    assert set(one["clip_id"].to_pylist()) == set(other["clip_id"].to_pylist()) == set(fold.train)
    assert one.drop_columns(["seed"]) != other.drop_columns(["seed"])


def test_an_interrupted_record_leaves_nothing_behind(opened, tmp_path):
    reader, fold = opened

    def broken():
        yield next(drawn_frames(reader, fold, 0, 8, 1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parts(broken(), tmp_path / "out" / "frames.parquet")
    assert list((tmp_path / "out").iterdir()) == []


def test_epochs_are_read_one_at_a_time(opened, tmp_path):
    reader, fold = opened
    write_parts(drawn_frames(reader, fold, 0, 8, 3), tmp_path / "frames.parquet")
    with pq.ParquetFile(tmp_path / "frames.parquet") as file:
        assert file.num_row_groups == 5
