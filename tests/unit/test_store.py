"""The packed clip store: the decoded pixels, once, whole, shared, and the same however the pack was made."""

import fcntl
import json
import os
import pickle
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_clips import counting_frames, textured_frames, told_indices, write_frames, write_video

from harness.data import packing
from harness.data import store as store_module
from harness.data.clip import Clip, OfficialFold, Source
from harness.data.clip_store import VERSION
from harness.data.decode import count_frames, read_frames
from harness.data.store import ClipStore, pack, thin
from harness.datasets.dfew import dfew
from harness.errors import HarnessError
from harness.paths import pack_folder
from harness.train.manifest import read_manifest, write_manifest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch) -> None:
    monkeypatch.setattr(store_module, "PART", 2)
    monkeypatch.setattr(packing, "PART", 2)


def source_of_files(paths: list[Path]) -> Source:
    clips = {path.stem: Clip(clip_id=path.stem, path=path, label=index % 2) for index, path in enumerate(paths)}
    ids = tuple(clips)
    fold = OfficialFold(ids[1:], ids[:1])
    return Source(name="made", root=paths[0].parent, classes=("a", "b"), clips=clips, folds={1: fold}, excluded={})


@pytest.fixture
def source(tmp_path) -> Source:
    """Five clips of 3 to 40 frames, videos and frame folders."""
    folder = tmp_path / "clips"
    videos = [write_video(folder / f"{name}.mp4", textured_frames(n, seed=n)) for name, n in (("v3", 3), ("v40", 40))]
    folders = [write_frames(folder / name, textured_frames(n, seed=n)) for name, n in (("f7", 7), ("f12", 12))]
    return source_of_files([*videos, *folders, write_video(folder / "w9.avi", textured_frames(9), "mpeg4")])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_stored_frames_are_the_decoded_frames(source):
    packed = pack(source, 24, 50, workers=1)
    assert packed.bad == {}
    for clip_id, clip in source.clips.items():
        assert np.array_equal(packed.store.frames(clip_id), read_frames(clip.path, None, 24))
        assert packed.store.num_frames(clip_id) == len(packed.store.frames(clip_id))


def test_long_clips_are_thinned_to_evenly_spaced_frames_with_both_ends(source):
    store = pack(source, 24, 10, workers=1).store
    assert store.num_frames("v40") == 10
    assert store.places["v40"].source_frames == 40
    everything = read_frames(source.clips["v40"].path, None, 24)
    assert np.array_equal(store.frames("v40"), everything[thin(40, 10)])
    assert store.num_frames("v3") == 3


@given(num_frames=st.integers(1, 900), max_frames=st.integers(2, 120))
def test_thinning_keeps_order_ends_and_even_spacing(num_frames, max_frames):
    kept = thin(num_frames, max_frames)
    steps = np.diff(kept)
    assert len(kept) == min(num_frames, max_frames)
    assert kept[0] == 0
    assert kept[-1] == num_frames - 1
    assert not len(steps) or (steps.min() >= 1 and steps.max() - steps.min() <= 1)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_a_batch_is_the_clips_frames_in_the_order_asked_for(source, data):
    store = pack(source, 24, 50, workers=1).store
    ids = data.draw(st.lists(st.sampled_from(sorted(source.clips)), min_size=1, max_size=6))
    wanted = np.array(
        [data.draw(st.lists(st.integers(0, store.num_frames(i) - 1), min_size=4, max_size=4)) for i in ids]
    )
    batch = store.batch(ids, wanted)
    assert batch.shape == (len(ids), 4, 24, 24, 3)
    assert batch.flags.c_contiguous
    for clip, clip_id, indices in zip(batch, ids, wanted, strict=True):
        assert np.array_equal(clip, store.frames(clip_id)[indices])


def test_a_batch_can_fill_a_given_array(source):
    store = pack(source, 24, 50, workers=1).store
    out = np.empty((1, 2, 24, 24, 3), np.uint8)
    assert store.batch(["v3"], np.array([[2, 0]]), out) is out
    assert np.array_equal(out[0], store.frames("v3")[[2, 0]])


@pytest.mark.parametrize("wanted", [[[0, 3]], [[-1, 0]]])
def test_a_frame_that_a_clip_does_not_have_is_an_error(source, wanted):
    with pytest.raises(HarnessError, match="clip 'v3' has 3 frames"):
        pack(source, 24, 50, workers=1).store.batch(["v3"], np.array(wanted))


def test_a_clip_that_is_not_in_the_pack_is_named(source):
    with pytest.raises(HarnessError, match="no clip 'v4' in this pack"):
        pack(source, 24, 50, workers=1).store.frames("v4")


def test_stored_frames_cannot_be_written_to(source):
    frames = pack(source, 24, 50, workers=1).store.frames("v3")
    with pytest.raises(ValueError, match="read-only"):
        frames[0] = 0


def test_a_second_call_decodes_nothing(source, monkeypatch):
    first = pack(source, 24, 50, workers=1)
    monkeypatch.setattr(packing, "read_frames", None)
    monkeypatch.setattr(packing, "count_frames", None)
    second = pack(source, 24, 50, workers=1)
    assert second.store.places == first.store.places


def test_other_sizes_and_limits_are_other_packs(source):
    folders = {pack(source, size, limit, workers=1).store.folder for size, limit in ((24, 50), (32, 50), (24, 10))}
    assert len(folders) == 3


def test_the_pack_does_not_depend_on_the_number_of_workers(source, monkeypatch, tmp_path):
    alone = content(pack(source, 24, 50, workers=1).store.folder)
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "other cache"))
    assert content(pack(source, 24, 50, workers=2).store.folder) == alone


def test_an_interrupted_pack_goes_on_where_it_stopped_and_ends_the_same(source, monkeypatch, tmp_path):
    whole = content(pack(source, 24, 50, workers=1).store.folder)
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "other cache"))
    decoded: list[str] = []

    def failing(path, indices, size):
        decoded.append(path.stem)
        if len(decoded) == 4:
            raise KeyboardInterrupt
        return read_frames(path, indices, size)

    monkeypatch.setattr(packing, "read_frames", failing)
    with pytest.raises(KeyboardInterrupt):
        pack(source, 24, 50, workers=1)
    final = pack_folder(source.fingerprint, 24, 50)
    assert not final.exists()
    first, decoded[:] = decoded[:2], list("12345")
    assert content(pack(source, 24, 50, workers=1).store.folder) == whole
    assert set(first).isdisjoint(decoded)
    assert [path for path in final.parent.iterdir() if not path.name.endswith(".lock")] == [final]


def test_a_finished_part_that_was_damaged_is_decoded_again(source, monkeypatch, tmp_path):
    whole = content(pack(source, 24, 50, workers=1).store.folder)
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "other cache"))
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_index", None)
        with pytest.raises(TypeError):
            pack(source, 24, 50, workers=1)
    (pixels,) = (tmp_path / "other cache").rglob("frames.u8")
    damaged = bytearray(pixels.read_bytes())
    damaged[7] ^= 255
    pixels.write_bytes(damaged)
    assert content(pack(source, 24, 50, workers=1).store.folder) == whole


def test_a_pack_of_another_version_is_made_anew(source):
    store = pack(source, 24, 50, workers=1).store
    whole = content(store.folder)
    index = store.folder / "index.json"
    index.write_text(index.read_text().replace(f'"version": {VERSION}', '"version": 1'))
    assert content(pack(source, 24, 50, workers=1).store.folder) == whole


def test_a_clip_that_decodes_to_fewer_frames_than_are_coded_is_bad(source, monkeypatch):
    monkeypatch.setattr(packing, "count_frames", lambda path: 8 if path.name == "f7" else count_frames(path))
    packed = pack(source, 24, 50, workers=1)
    assert list(packed.bad) == ["f7"]
    assert "7 frames can be decoded of 8" in packed.bad["f7"]
    assert np.array_equal(packed.store.frames("f12"), read_frames(source.clips["f12"].path, None, 24))


def test_progress_ends_with_all_clips_done(source):
    seen: list[tuple[int, int]] = []
    pack(source, 24, 50, workers=1, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_clips_that_cannot_be_read_are_named_and_the_others_packed(source):
    clip = source.clips["w9"].path
    clip.write_bytes(clip.read_bytes()[:3000])
    packed = pack(source, 24, 50, workers=1)
    assert list(packed.bad) == ["w9"]
    assert str(clip) in packed.bad["w9"]
    assert set(packed.store.places) == {"v3", "v40", "f7", "f12"}
    with pytest.raises(HarnessError, match="could not be read"):
        packed.store.frames("w9")
    assert list(source.without(packed.bad).excluded) == ["w9"]


def test_a_bad_clip_is_tried_again_by_the_next_call(source, tmp_path):
    frame = source.clips["f7"].path / "3.png"
    good = frame.read_bytes()
    frame.write_bytes(good[:40])
    assert list(pack(source, 24, 50, workers=1).bad) == ["f7"]
    assert list(pack(source, 24, 50, workers=1).bad) == ["f7"]
    frame.write_bytes(good)
    again = pack(source, 24, 50, workers=1)
    assert again.bad == {}
    assert again.store.num_frames("f7") == 7


def test_a_data_set_of_which_nothing_can_be_read_is_an_error_and_leaves_nothing_behind(source, cache):
    for clip in source.clips.values():
        if clip.path.is_file():
            clip.path.write_bytes(b"no video")
    videos = {i: c for i, c in source.clips.items() if c.path.is_file()}
    with pytest.raises(HarnessError, match="not one of 3 clips can be read"):
        pack(replace(source, clips=videos), 24, 50, workers=1)
    assert [path.name for path in (cache / "packs").iterdir() if path.is_dir()] == []


def test_damage_is_found_by_its_checksum(source):
    store = pack(source, 24, 50, workers=1).store
    store.verify()
    pixels = store.folder / "frames.u8"
    damaged = bytearray(pixels.read_bytes())
    damaged[-100] ^= 1
    pixels.write_bytes(damaged)
    with pytest.raises(HarnessError, match=f"{re.escape(str(pixels))}: the checksum of frames"):
        ClipStore.open(store.folder).verify()


def test_a_truncated_or_missing_file_is_found_on_opening(source):
    store = pack(source, 24, 50, workers=1).store
    pixels = store.folder / "frames.u8"
    pixels.write_bytes(pixels.read_bytes()[:-1])
    with pytest.raises(HarnessError, match=re.escape(str(pixels))):
        ClipStore.open(store.folder)
    pixels.unlink()
    with pytest.raises(HarnessError, match=re.escape(str(pixels))):
        ClipStore.open(store.folder)


@pytest.mark.parametrize(
    ("text", "message"), [(None, "no finished pack"), ("{", "not readable"), ("{}", "version None")]
)
def test_a_folder_that_is_no_pack_of_ours_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "index.json").write_text(text)
    with pytest.raises(HarnessError, match=message):
        ClipStore.open(tmp_path)


def test_a_store_crosses_a_process_boundary_without_its_pixels(source):
    store = pack(source, 24, 50, workers=1).store
    store.frames("v40")
    sent = pickle.dumps(store)
    assert len(sent) < 5000
    assert np.array_equal(pickle.loads(sent).frames("v40"), store.frames("v40"))  # noqa: S301


def test_frames_are_in_natural_order_in_the_store_too(tmp_path):
    clips = [write_frames(tmp_path / f"c{n}", counting_frames(n)) for n in (12, 16)]
    store = pack(source_of_files(clips), 16, 50, workers=1).store
    assert told_indices(store.frames("c16")) == list(range(16))


def test_real_clips_are_packed_whole(london):
    source = dfew.open(london, {"classes": ["Happy", "Neutral"]})
    few = {clip_id: source.clips[clip_id] for clip_id in list(source.clips)[:6]}
    store = pack(replace(source, clips=few), 64, 96, workers=1).store
    frames = (london / "meta.csv").read_text().splitlines()
    column = frames[0].split(",").index("n_frames")
    stated = {line.split(",")[1][:5]: int(line.split(",")[column]) for line in frames[1:]}
    assert {clip_id: store.num_frames(clip_id) for clip_id in few} == {clip_id: stated[clip_id] for clip_id in few}


def test_unfinished_packs_that_nobody_goes_on_with_are_swept_away(source, cache):
    packs = cache / "packs"
    names = {"fresh": f".a-24px-50f.v{VERSION}.building", "old": f".b-24px-50f.v{VERSION}.building"}
    names |= {"other": ".c-24px-50f.v0.building", "held": f".d-24px-50f.v{VERSION}.building"}
    for name in names.values():
        (packs / name).mkdir(parents=True)
        (packs / name / "frames.u8").write_bytes(b"x")
    for kind in ("old", "held"):
        for path in (packs / names[kind] / "frames.u8", packs / names[kind]):
            os.utime(path, (0, 0))
    with (packs / ".d-24px-50f.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        pack(source, 24, 50, workers=1)
    left = {path.name for path in packs.iterdir() if path.name.endswith(".building")}
    assert left == {names["fresh"], names["held"]}


def test_a_pack_whose_process_was_killed_keeps_no_temporary_file(source, cache):
    final = pack_folder(source.fingerprint, 24, 50)
    building = final.with_name(f".{final.name}.v{VERSION}.building")
    building.mkdir(parents=True)
    (building / ".part-00007.json.tmp").write_text("half")
    store = pack(source, 24, 50, workers=1).store
    assert sorted(path.name for path in store.folder.iterdir()) == ["frames.u8", "index.json"]


def test_what_a_training_knows_of_a_data_set_is_small_in_memory(tmp_path):
    """A quarter of DFEW: manifest and index. A whole process may hold 200 MB for all of it, batches included."""
    count, classes = 3_000, tuple("abcdefg")
    shares = (0.7, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0)
    clips = {
        f"{i:05d}": Clip(clip_id=f"{i:05d}", path=tmp_path, label=0, group=f"film {i // 40}", label_distribution=shares)
        for i in range(count)
    }
    ids = tuple(clips)
    folds = {k: OfficialFold(ids[: -count // 5], ids[-count // 5 :]) for k in range(1, 6)}
    source = Source(name="made", root=tmp_path, classes=classes, clips=clips, folds=folds, excluded={})
    write_manifest(source, tmp_path / "manifest.json")
    places = {clip_id: [77 * i, 77, 77] for i, clip_id in enumerate(ids)}
    index = {"version": VERSION, "size": 16, "max_frames": 96, "bad": {}, "regions": [[0, 77 * count, 0]]}
    (tmp_path / "index.json").write_text(json.dumps({**index, "clips": places}))
    with (tmp_path / "frames.u8").open("wb") as file:
        file.truncate(77 * count * 16 * 16 * 3)
    tracemalloc.start()
    try:
        read, store = read_manifest(tmp_path / "manifest.json"), ClipStore.open(tmp_path)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read.clips) == len(store.places) == count
    assert read.folds == folds
    assert held < 5e6
