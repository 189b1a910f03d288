import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

from harness import plugins
from harness.datasets import synthetic as module
from harness.datasets._faces import generate as generate_module
from harness.datasets._faces.cast import Size, draw_cast
from harness.datasets._faces.generate import generate
from harness.datasets.synthetic import SIZES, synthesize, synthetic, synthetic_home
from harness.errors import HarnessError
from harness.tables.temporary import sweep

SMALLEST = Size(clips=35, side=16, identities=10, floor=5)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A whole set of 35 clips of 16 pixels, drawn in this process."""
    root = tmp_path_factory.mktemp("synthetic") / "set"
    generate(root, SMALLEST, seed=3)
    return root


def digests(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_bytes_do_not_depend_on_the_number_of_workers(drawn, tmp_path):
    generate(tmp_path / "again", SMALLEST, seed=3, workers=2)
    assert digests(tmp_path / "again") == digests(drawn)


def test_another_seed_gives_other_videos(drawn, tmp_path):
    generate(tmp_path / "other", SMALLEST, seed=4)
    ours, theirs = digests(drawn), digests(tmp_path / "other")
    videos = [name for name in ours if name.endswith(".mp4")]
    assert len(videos) == SMALLEST.clips
    assert not any(ours[name] == theirs[name] for name in videos)


def test_dfews_reader_takes_the_set_as_it_is(drawn):
    source = synthetic.open(drawn, {})
    cast = draw_cast(SMALLEST, 3)
    assert source.name == "synthetic"
    assert sorted(source.folds) == [1, 2, 3, 4, 5]
    assert set(source.clips) == {role.clip_id for role in cast}
    for role in cast:
        clip = source.clips[role.clip_id]
        assert (source.classes[clip.label], clip.group, clip.domain) == (role.expression, role.identity, role.style)
        assert clip.clip_id in source.folds[role.fold].test


def test_no_person_is_in_training_and_test_of_a_fold(drawn):
    source = synthetic.open(drawn, {})
    for fold in source.folds.values():
        groups = [{source.clips[clip_id].group for clip_id in split} for split in fold]
        assert groups[0].isdisjoint(groups[1])
        assert len(fold.train) + len(fold.test) == SMALLEST.clips


def test_every_video_has_the_frames_and_the_side_that_its_metadata_says(drawn):
    for row in rows(drawn / "meta.csv"):
        with av.open(str(drawn / "Clip" / "clip_224x224_mp4" / f"{row['clip_id']}.mp4")) as video:
            stream = video.streams.video[0]
            assert (stream.codec_context.name, stream.average_rate) == ("h264", 25)
            shapes = {frame.to_ndarray(format="rgb24").shape for frame in video.decode(stream)}
            assert shapes == {(SMALLEST.side, SMALLEST.side, 3)}
            assert stream.frames == int(row["num_frames"])


def test_the_lists_are_written_like_dfews_own(drawn):
    lists = drawn / "EmoLabel_DataSplit"
    assert (lists / "test(single-labeled)" / "set_1.csv").read_text().startswith("video_name,label\n1,")
    labels = Counter(int(row["label"]) for row in rows(lists / "train(single-labeled)" / "set_5.csv"))
    assert sorted(labels) == [1, 2, 3, 4, 5, 6, 7]


def test_only_expressive_clips_have_phases(drawn):
    for row in rows(drawn / "meta.csv"):
        neutral = row["expression"] == "Neutral"
        assert (row["onset_frame"] == "") == neutral
        assert (float(row["peak_intensity"]) == 0) == neutral


def test_progress_counts_up_to_all_clips(tmp_path):
    seen = []
    generate(tmp_path / "set", SMALLEST, 0, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (SMALLEST.clips, SMALLEST.clips)
    assert seen == sorted(set(seen))


def test_a_broken_off_set_is_never_seen(tmp_path):
    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert not (tmp_path / "set").exists()
        raise StopError

    with pytest.raises(StopError):
        generate(tmp_path / "set", SMALLEST, 0, on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_two_that_draw_the_same_set_at_once_both_succeed(tmp_path, drawn):
    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(generate, tmp_path / "set", SMALLEST, 3) for _ in range(2)]:
            job.result()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert digests(tmp_path / "set") == digests(drawn)


def test_without_a_root_the_set_is_drawn_once_into_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path))
    monkeypatch.setitem(SIZES, "tiny", SMALLEST)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    first = synthetic.open(None, {"size": "tiny", "seed": 3})
    assert first.root.is_relative_to(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.root.rglob("*")}
    assert synthetic.open(None, {"size": "tiny", "seed": 3}).fingerprint == first.fingerprint
    assert {path: path.stat().st_mtime_ns for path in first.root.rglob("*")} == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": "smal"}, "Did you mean 'small'"),
        ({"sise": "tiny"}, "no option 'sise'. Did you mean 'size'"),
        ({"seed": -1}, "'seed'"),
        ({"seed": True}, "'seed'"),
    ],
)
def test_a_wrong_option_is_named(options, words):
    with pytest.raises(HarnessError, match=words):
        synthetic.open(None, options)


def test_an_existing_folder_is_never_drawn_over(tmp_path):
    with pytest.raises(HarnessError, match="exists already"):
        synthesize(tmp_path, "tiny", 0, None, 1)


def test_a_missing_root_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="nowhere"):
        synthetic.open(tmp_path / "nowhere", {})


def test_the_plugin_is_found_by_its_file_name():
    assert plugins.load("dataset", "synthetic") is synthetic


DRAW = """
import sys
from pathlib import Path
from harness.datasets._faces.cast import Size, draw_cast
from harness.datasets._faces.generate import draw_clips
from harness.datasets._faces.layout import clip_path
cast = draw_cast(Size(clips=35, side=64, identities=10, floor=5), 3)
clip_path(Path(sys.argv[1]), cast[0]).parent.mkdir(parents=True)
draw_clips(Path(sys.argv[1]), [role for role in cast if role.num_frames < 60][:6], 64, 3)
"""


def test_equal_frames_give_equal_bytes_whatever_the_memory_held_before(tmp_path):
    """Fresh memory is filled with different bytes by glibc; elsewhere the variable has no effect."""
    for filling in ("37", "255"):
        environment = {**os.environ, "MALLOC_PERTURB_": filling}
        subprocess.run([sys.executable, "-c", DRAW, str(tmp_path / filling)], check=True, env=environment)
    assert digests(tmp_path / "37") == digests(tmp_path / "255")


def test_colours_survive_the_video(drawn, tmp_path):
    from harness.datasets._faces.video import write_video

    planes = np.concatenate([np.full((4, 16 * 16), 81), np.full((4, 64), 90), np.full((4, 64), 240)], axis=1)
    write_video(tmp_path / "red.mp4", planes.astype(np.uint8).reshape(4, 24, 16), crf=10)
    with av.open(str(tmp_path / "red.mp4")) as video:
        mean = next(video.decode(video=0)).to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert mean == pytest.approx([254, 0, 0], abs=6)


def test_a_drawing_that_was_killed_is_swept_away_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path))
    killed = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: killed.pid)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt), generate_module._published_whole(synthetic_home() / "tiny-seed0-v1"):
            raise KeyboardInterrupt
    (left,) = synthetic_home().iterdir()
    assert sweep(synthetic_home()) == 0
    killed.kill()
    killed.wait()
    assert sweep(synthetic_home()) == 1
    assert not left.exists()
