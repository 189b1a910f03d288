"""Inspecting a data set: the layout is recognised, counts stand beside the known ones, damage and copies are found."""

import shutil

import numpy as np
import pytest
import trees
from hypothesis import given
from hypothesis import strategies as st
from tiny_clips import dfew_labels, textured_frames, write_dfew, write_frames, write_video
from workbooks import write_votes

from harness.data.clip import Clip, KnownCounts
from harness.data.health import Health, examine, examine_all, near_duplicates
from harness.data.inspect import inspect
from harness.data.inspection_text import inspection_text
from harness.datasets.dfew import dfew
from harness.errors import HarnessError
from harness.plugins import load, names

WITH_TREE = [name for name in names("dataset") if hasattr(trees, f"write_{name}")]


@pytest.fixture
def clips(tmp_path):
    """A folder of two classes of five videos, short enough to decode in a test."""
    for emotion in ("calm", "excited"):
        for number in range(5):
            seed = 10 * number + (emotion == "calm")
            write_video(tmp_path / "mine" / emotion / f"{number}.mp4", textured_frames(6 + 5 * number, seed=seed))
    return tmp_path / "mine"


@pytest.mark.parametrize("name", WITH_TREE)
def test_every_layout_is_recognised_without_being_told(tmp_path, name):
    root = getattr(trees, f"write_{name}")(tmp_path / "tree")
    found = inspect(root, decode=False)
    assert found.dataset == name
    assert found.problems == ()
    assert f"laid out as {name}" in inspection_text(found)


def test_counts_that_differ_from_the_known_ones_are_said_plainly(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.data.remarks.ANOTHER", 1.0)
    found = inspect(write_dfew(tmp_path), decode=False)
    assert "fold 1, test: Happy 1 instead of 489" in "\n".join(found.remarks)
    assert "1 (489)" in inspection_text(found)


def test_another_data_set_in_a_known_layout_is_not_compared_count_by_count(tmp_path):
    found = inspect(write_dfew(tmp_path), decode=False)
    assert found.remarks == ("35 clips instead of 11697: another data set, or a part of it, in the layout of dfew",)
    assert "(" not in inspection_text(found).split("what differs")[0].split("domains")[1]


def test_votes_that_are_missing_or_do_not_bear_out_a_label_are_remarked(tmp_path):
    root = write_dfew(tmp_path)
    votes = {
        i: tuple(6 * (k == label - 1) + 4 * (k == label % 7) for k in range(7)) for i, label in dfew_labels().items()
    }
    votes["00003"] = votes["00003"][::-1]
    del votes["00005"]
    write_votes(root, votes)
    remarks = inspect(root, decode=False).remarks
    assert "1 clips have no votes of annotators, '00005' first" in remarks
    assert "1 clips are labelled otherwise than most annotators chose, '00003' first" in remarks


@pytest.mark.parametrize("name", WITH_TREE)
def test_files_that_no_list_names_are_counted(tmp_path, name):
    root = getattr(trees, f"write_{name}")(tmp_path / "tree")
    found = inspect(root, name, decode=False)
    clip = next(iter(found.source.clips.values())).path
    before = set(found.unused)
    assert not before & {one.path for one in found.source.clips.values()}
    if name in {"dfew", "ferv39k", "mafw"}:
        extra = clip.with_name(f"0{clip.stem}9{clip.suffix}")
        (shutil.copytree if clip.is_dir() else shutil.copy)(clip, extra)
        found = inspect(root, name, decode=False)
        assert found.unused == (extra,)
        assert f"1 clips lie beside these and are in no list that is used, '{extra.name}' first" in inspection_text(
            found
        )


def test_a_clip_that_was_left_out_is_not_called_unused(tmp_path):
    root = write_dfew(tmp_path, clips="clip_224x224_avi")
    (root / "Clip" / "clip_224x224_avi" / "00004.avi").write_bytes(b"")
    assert inspect(root, decode=False).unused == ()


def test_known_counts_add_up_to_the_published_totals():
    assert {sum(test) + sum(dfew.known.train[fold]) for fold, test in dfew.known.test.items()} == {11697}
    assert [sum(test) for test in dfew.known.test.values()] == [2341, 2341, 2340, 2339, 2336]
    assert [sum(train) for train in dfew.known.train.values()] == [9356, 9356, 9357, 9358, 9361]
    ferv39k = load("dataset", "ferv39k")
    assert (sum(ferv39k.known.train[1]), sum(ferv39k.known.test[1])) == (31088, 7847)


@pytest.mark.parametrize("name", ["dfew", "ferv39k"])
def test_known_counts_name_every_class_of_every_fold(tmp_path, name):
    source = load("dataset", name).open(getattr(trees, f"write_{name}")(tmp_path), {})
    known: KnownCounts = load("dataset", name).known
    for counts in (*known.test.values(), *known.train.values()):
        assert len(counts) == len(source.classes)
    assert set(known.test) == set(known.train) == set(source.folds)


def test_lists_that_contradict_each_other_are_reported_not_raised(tmp_path):
    root = write_dfew(tmp_path)
    path = root / "EmoLabel_DataSplit" / "train(single-labeled)" / "set_1.csv"
    path.write_text(path.read_text() + "film,3\n")
    found = inspect(root)
    assert found.source is None
    assert "1 problems in lists and files" in inspection_text(found)
    assert "'film' is not a clip number" in inspection_text(found)


def test_clips_without_files_are_problems_and_the_rest_is_inspected(tmp_path):
    root = write_dfew(tmp_path, clips="clip_224x224_avi")
    (root / "Clip" / "clip_224x224_avi" / "00004.avi").unlink()
    found = inspect(root, decode=False)
    assert len(found.source.clips) == 34
    assert "clip '00004' has no file" in inspection_text(found)


def test_unreadable_clips_are_listed_and_lengths_counted(clips):
    (clips / "calm" / "4.mp4").write_bytes(b"no video" * 100)
    found = inspect(clips)
    assert list(found.unreadable) == ["calm/4.mp4"]
    assert found.lengths == (6, 6, 11, 11, 16, 16, 21, 21, 26)
    assert {low: count for low, count in found.histogram.items() if count} == {1: 2, 8: 2, 16: 5}
    text = inspection_text(found)
    assert "1 clips cannot be read" in text
    assert "6 to 26, median 16, 134 in all" in text


def test_a_copy_on_the_other_side_of_a_fold_is_found(clips):
    copied = textured_frames(11, seed=10).astype(float) * 0.9 + 5
    write_video(clips / "excited" / "4.mp4", copied.astype(np.uint8), rate=30)
    found = inspect(clips)
    assert [(pair.one, pair.other) for pair in found.duplicates] == [("excited/1.mp4", "excited/4.mp4")]
    folds = [number for number, pairs in found.straddling.items() if pairs]
    assert folds == [
        number for number, fold in found.source.folds.items() if {"excited/1.mp4", "excited/4.mp4"} & set(fold.test)
    ]
    assert "near-duplicates are on both sides" in inspection_text(found)


def test_different_clips_are_not_taken_for_copies(clips):
    assert inspect(clips).duplicates == ()


def test_progress_ends_with_all_clips(clips):
    seen = []
    inspect(clips, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10, 10)


def test_a_gap_in_the_numbers_of_a_frame_folder_is_remarked(tmp_path):
    for emotion in ("calm", "excited"):
        for number in range(5):
            write_frames(tmp_path / "mine" / emotion / f"c{number}", textured_frames(5, size=16, seed=number))
    (tmp_path / "mine" / "calm" / "c2" / "3.png").unlink()
    assert "1 frame folders skip a number, 'calm/c2' first" in "\n".join(inspect(tmp_path / "mine").remarks)


def test_a_root_that_no_reader_knows_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="No reader knows the layout"):
        inspect(tmp_path)


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=2, max_size=12), st.floats(0, 0.6))
def test_near_duplicates_are_the_pairs_within_a_hamming_distance(hashes, share):
    healths = [Health(str(i), 5, "", gap=False, bits=bits) for i, bits in enumerate(hashes)]
    expected = {
        (str(i), str(j))
        for i, one in enumerate(hashes)
        for j, other in enumerate(hashes)
        if i < j and (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() <= share * 128
    }
    assert {(pair.one, pair.other) for pair in near_duplicates(healths, share)} == expected


def test_clips_are_examined_alike_by_one_process_and_by_two(clips):
    listed = [Clip(clip_id=path.stem + path.parent.name, path=path, label=0) for path in sorted(clips.rglob("*.mp4"))][
        :4
    ]
    assert list(examine_all(listed, 2)) == [examine(clip) for clip in listed]


def test_the_real_clips_have_no_copies_on_both_sides(london):
    found = inspect(london, decode=False)
    assert (found.dataset, len(found.source.clips), found.partial) == ("dfew", 408, True)
    assert found.remarks == ("only 2 classes have clips; a study must say classes: [Happy, Neutral]",)
