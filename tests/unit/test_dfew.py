"""DFEW's reader: every layout and list form met in the field, and every mistake named with file and line."""

import re
import shutil
from pathlib import Path

import pytest
import trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_clips import dfew_labels, write_dfew, write_dfew_lists, write_lines
from trees import problems_of

from harness.datasets.dfew import CLASSES, CLIP_FOLDERS, dfew
from harness.errors import CollectedError, HarnessError

LISTS = Path("EmoLabel_DataSplit")
TRAIN_1 = LISTS / "train(single-labeled)" / "set_1.csv"
FORMS = st.sampled_from([(False, False), (False, True), (True, True)])
"""Labels from 0, ids padded: DFEW's own lists, the same re-exported with padding, and S2D's."""
TEST_1 = LISTS / "test(single-labeled)" / "set_1.csv"


@pytest.fixture
def tree(tmp_path) -> Path:
    return write_dfew(tmp_path / "DFEW")


def edit(path: Path, change) -> None:
    path.write_text(change(path.read_text()))


def test_the_official_lists_give_padded_ids_and_labels_from_zero(tree):
    source = dfew.open(tree, {})
    assert source.classes == CLASSES
    assert {clip_id: clip.label + 1 for clip_id, clip in source.clips.items()} == dfew_labels()
    assert source.clips["00003"].path == tree / "Clip" / "clip_224x224" / "00003"


def test_the_five_test_folds_are_disjoint_and_cover_everything(tree):
    source = dfew.open(tree, {})
    assert list(source.folds) == [1, 2, 3, 4, 5]
    tested = [clip_id for fold in source.folds.values() for clip_id in fold.test]
    assert sorted(tested) == sorted(source.clips)
    for fold in source.folds.values():
        assert set(fold.train) == set(source.clips) - set(fold.test)


@pytest.mark.parametrize("clips", CLIP_FOLDERS)
def test_every_known_name_of_the_clip_folder_is_found(tmp_path, clips):
    source = dfew.open(write_dfew(tmp_path, clips=clips), {})
    assert {clip.path.parent.name for clip in source.clips.values()} == {clips}


def test_all_frames_are_preferred_to_16_frames_unless_the_option_says_otherwise(tree):
    shutil.copytree(tree / "Clip" / "clip_224x224", tree / "Clip" / "clip_224x224_16f")
    assert dfew.open(tree, {}).clips["00001"].path.parent.name == "clip_224x224"
    chosen = dfew.open(tree, {"clips": "clip_224x224_16f"})
    assert chosen.clips["00001"].path.parent.name == "clip_224x224_16f"


def test_a_chosen_clip_folder_that_is_missing_is_answered_with_the_nearest(tree):
    with pytest.raises(HarnessError, match="Did you mean 'clip_224x224'"):
        dfew.open(tree, {"clips": "clip_224"})


def test_an_unpacked_archive_is_found_one_or_two_folders_down(tmp_path):
    write_dfew(tmp_path / "downloads" / "DFEW" / "DFEW-part2")
    assert len(dfew.open(tmp_path / "downloads", {}).clips) == 35


# The forms of the lists


def rewrite_lists(tree: Path, write) -> None:
    """Replace the official lists by another form: write(fold, split, [(id, label from 1)]) makes a file."""
    for path in sorted(tree.glob("EmoLabel_DataSplit/*/*.csv")):
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        split = "train" if "train" in path.parent.name else "test"
        write(int(path.stem[-1]), split, [(f"{int(name):05d}", int(label)) for name, label in rows])
    shutil.rmtree(tree / LISTS)


def s2d(tree: Path, fold: int, split: str, rows) -> None:
    lines = ["video_name,label", *(f"{name},{label - 1}" for name, label in rows)]
    write_lines(tree / "annotation" / split / f"set_{fold}.csv", lines)


def former_dfer(tree: Path, fold: int, split: str, rows) -> None:
    lines = [f"/data/DFEW/Clip/clip_224x224/{name} {max(16, int(name))} {label - 1}" for name, label in rows]
    write_lines(tree / "annotation" / f"set_{fold}_{split}.txt", lines)


def ial(tree: Path, fold: int, split: str, rows) -> None:
    lines = [f"Clip/clip_224x224/{name} 150 {label - 1}" for name, label in rows]
    write_lines(tree / "annotation" / f"DFEW_set_{fold}_{split}.txt", lines, end="\r\n")


def mae_dfer(tree: Path, fold: int, split: str, rows) -> None:
    lines = [f"/home/some one/DFEW/Clip/clip_224x224/{name} {label - 1}" for name, label in rows]
    write_lines(tree / "annotation" / f"split0{fold}" / f"{split}.csv", lines)
    write_lines(tree / "annotation" / f"split0{fold}" / "val.csv", lines)


def authors_code(tree: Path, fold: int, split: str, rows) -> None:
    lines = ["video_name,label", *(f"{int(name)},{label}" for name, label in rows)]
    write_lines(tree / "label" / f"single_{split}set_{fold}.csv", lines)


@pytest.mark.parametrize("form", [s2d, former_dfer, ial, mae_dfer, authors_code])
def test_every_form_of_the_lists_says_the_same(tmp_path, form):
    official = dfew.open(write_dfew(tmp_path / "official"), {})
    tree = write_dfew(tmp_path / "other")
    rewrite_lists(tree, lambda fold, split, rows: form(tree, fold, split, rows))
    source = dfew.open(tree, {})
    assert {c.clip_id: c.label for c in source.clips.values()} == {c.clip_id: c.label for c in official.clips.values()}
    assert source.folds == official.folds
    assert source.fingerprint == official.fingerprint


def test_lists_elsewhere_are_named_by_an_option(tree):
    (tree / LISTS).rename(tree / "my lists")
    assert len(dfew.open(tree, {"lists": "my lists"}).clips) == 35


def test_two_lists_for_one_fold_are_not_chosen_between_silently(tree):
    shutil.copytree(tree / LISTS / "train(single-labeled)", tree / LISTS / "train")
    with pytest.raises(HarnessError, match=r"both list fold 1 for train.*'lists'"):
        dfew.open(tree, {})


@given(
    labels=st.lists(st.integers(1, 7), min_size=7, max_size=30).filter(lambda labels: len(set(labels)) > 1), form=FORMS
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_the_label_offset_is_detected_or_asked_for_but_never_guessed(tmp_path_factory, labels, form):
    zero_based, padded = form
    root = tmp_path_factory.mktemp("dfew")
    clip_ids = {f"{number:05d}": label for number, label in enumerate(labels, start=1)}
    write_dfew(root, clip_ids)
    for path in (root / LISTS).rglob("*.csv"):
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        lines = [f"{name.zfill(5) if padded else name},{int(label) - zero_based}" for name, label in rows]
        write_lines(path, ["video_name,label", *lines])
    options = {"classes": [CLASSES[label - 1] for label in sorted(set(labels))]}
    if (1 if zero_based else 7) not in labels and padded:
        with pytest.raises(CollectedError, match="label_offset"):
            dfew.open(root, options)
    else:
        source = dfew.open(root, options)
        told = {clip_id: source.classes[clip.label] for clip_id, clip in source.clips.items()}
        assert told == {clip_id: CLASSES[label - 1] for clip_id, label in clip_ids.items()}


def test_a_stated_label_offset_is_taken(tmp_path):
    tree = write_dfew(tmp_path, {f"{number:05d}": 2 + number % 3 for number in range(1, 16)})
    source = dfew.open(tree, {"label_offset": 0, "classes": ["Neutral", "Angry", "Surprise"]})
    assert source.classes[source.clips["00001"].label] == "Angry"


def test_labels_that_count_neither_from_zero_nor_from_one_are_named(tree):
    edit(tree / TRAIN_1, lambda text: text.replace("8,1", "8,0"))
    assert "set_1.csv" in problems_of(dfew, tree)
    assert "label_offset" in problems_of(dfew, tree)
    found = problems_of(dfew, tree, {"label_offset": 1})
    assert re.search(r"set_1.csv:\d+: clip '00008' has label 0, outside 1 to 7", found)


# Groups, domains and classes


def test_meta_gives_identity_as_group_and_style_as_domain(tree):
    rows = [f"{int(clip_id)},id{number % 4},style {number % 2}" for number, clip_id in enumerate(dfew_labels())]
    write_lines(tree / "meta.csv", ["clip,identity,style", *rows])
    clip = dfew.open(tree, {}).clips["00002"]
    assert (clip.group, clip.domain) == ("id1", "style 1")


def test_without_meta_nothing_is_known_of_groups(tree):
    assert {(clip.group, clip.domain) for clip in dfew.open(tree, {}).clips.values()} == {("", "")}


def test_a_listed_clip_without_a_meta_row_is_named(tree):
    write_lines(tree / "meta.csv", ["video_name,identity", *(f"{number},x" for number in range(1, 35))])
    assert "no row for clip '00035'" in problems_of(dfew, tree)


def test_some_classes_can_be_kept_and_are_relabelled_in_the_given_order(tree):
    source = dfew.open(tree, {"classes": ["Fear", "Happy"]})
    assert source.classes == ("Fear", "Happy")
    assert {clip_id: source.classes[clip.label] for clip_id, clip in source.clips.items()} == {
        clip_id: CLASSES[label - 1] for clip_id, label in dfew_labels().items() if label in (1, 7)
    }
    assert set(source.folds[1].train + source.folds[1].test) == set(source.clips)


def test_an_empty_class_is_named_with_what_to_do(tmp_path):
    tree = write_dfew(tmp_path, {f"{number:05d}": (1, 3, 7)[number % 3] for number in range(1, 16)})
    with pytest.raises(HarnessError, match=r"empty class 'Sad', 'Angry'.*classes: \[Happy, Neutral, Fear\]"):
        dfew.open(tree, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip": "x"}, "no option 'clip'. Did you mean 'clips'"),
        ({"classes": ["Hapy", "Sad"]}, "Did you mean 'Happy'"),
        ({"classes": ["Sad", "Sad"]}, "different classes"),
        ({"label_offset": 3}, "option 'label_offset'"),
    ],
)
def test_a_wrong_option_is_named(tree, options, message):
    with pytest.raises(HarnessError, match=message):
        dfew.open(tree, options)


# Bad input


def test_a_missing_root_is_answered_with_the_nearest_name(tree):
    with pytest.raises(HarnessError, match="Did you mean 'DFEW'"):
        dfew.open(tree.parent / "DFWE", {})
    with pytest.raises(HarnessError, match="needs 'root'"):
        dfew.open(None, {})
    with pytest.raises(HarnessError, match="is a file"):
        dfew.open(tree / TRAIN_1, {})


def test_a_root_without_lists_says_what_it_holds(tmp_path):
    (tmp_path / "holidays").mkdir()
    with pytest.raises(HarnessError, match=r"found no lists under .*holidays"):
        dfew.open(tmp_path, {})


def test_a_root_without_clips_says_where_it_looked(tree):
    (tree / "Clip" / "clip_224x224").rename(tree / "Clip" / "other")
    with pytest.raises(HarnessError, match=r"There are: .*other.*'clips'"):
        dfew.open(tree, {})


def test_every_mistake_is_named_with_its_file_and_line_in_one_pass(tree):
    shutil.rmtree(tree / "Clip" / "clip_224x224" / "00009")
    (tree / "Clip" / "clip_224x224" / "00010" / "00010_00001.jpg").unlink()
    edit(tree / TRAIN_1, lambda text: text + "11,4\n../../etc/passwd,1\nfilm,2\n99,1,1\n12,happy\n13,9\n")
    found = problems_of(dfew, tree)
    last = (tree / TRAIN_1).read_text().count("\n")
    for offset, what in enumerate(
        [
            "clip '00011' is listed already at",
            "'../../etc/passwd' points outside the data set",
            "'film' is not a clip number",
            "3 cells under a header of 2",
            "label 'happy' is not a whole number|listed already",
            "has label 9, outside 1 to 7|listed already",
        ]
    ):
        assert re.search(rf"set_1\.csv:{last - 5 + offset}: .*({what})", found), (what, found)
    assert re.search(r"set_1\.csv:\d+: clip '00009' has no file", found)
    assert re.search(r"set_1\.csv:\d+: .*00010 holds no frame", found)


def test_a_list_without_its_header_is_refused_because_its_first_clip_would_be_lost(tree):
    edit(tree / TEST_1, lambda text: text.replace("video_name,label\n", ""))
    assert re.search(r"set_1.csv:1: the header is '1,1' instead of 'video_name,label'", problems_of(dfew, tree))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_list_in_another_encoding_is_named_with_its_line(tree, encoding):
    text = (tree / TRAIN_1).read_text() + "# é\n"
    (tree / TRAIN_1).write_bytes(text.encode(encoding))
    line = text.count("\n") if encoding == "latin-1" else 1
    assert f"set_1.csv:{line}: not UTF-8" in problems_of(dfew, tree)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tree):
    expected = dfew.open(tree, {}).folds
    for path in (tree / LISTS).rglob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert dfew.open(tree, {}).folds == expected


def test_a_clip_in_training_and_test_is_named(tree):
    name = (tree / TEST_1).read_text().splitlines()[1]
    edit(tree / TRAIN_1, lambda text: text + name + "\n")
    assert "test clip '00001' is in training too" in problems_of(dfew, tree)


def test_lists_that_disagree_about_a_label_are_named(tree):
    edit(tree / LISTS / "train(single-labeled)" / "set_2.csv", lambda text: text.replace("1,1\n", "1,2\n", 1))
    assert "clip '00001' has another label than at" in problems_of(dfew, tree)


def test_a_fold_without_one_of_its_lists_is_named(tree):
    (tree / TEST_1).unlink()
    assert "fold 1 has no test list" in problems_of(dfew, tree)


def test_empty_files_and_pointer_stubs_are_named_before_anything_is_decoded(tmp_path):
    tree = write_dfew(tmp_path, clips="clip_224x224_avi")
    folder = tree / "Clip" / "clip_224x224_avi"
    (folder / "00004.avi").write_bytes(b"")
    (folder / "00005.avi").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n")
    found = problems_of(dfew, tree)
    assert "00004.avi is empty" in found
    assert "00005.avi is a Git LFS pointer" in found


def test_a_clip_that_is_there_twice_is_named(tmp_path):
    tree = write_dfew(tmp_path, clips="clip_224x224_avi")
    (tree / "Clip" / "clip_224x224_avi" / "00004.mp4").write_bytes(b"x")
    assert "00004' is there more than once: 00004.avi, 00004.mp4" in problems_of(dfew, tree)


def test_clips_without_rows_are_passed_over_as_in_dfew_itself(tree):
    shutil.copytree(tree / "Clip" / "clip_224x224" / "00001", tree / "Clip" / "clip_224x224" / "16372")
    assert "16372" not in dfew.open(tree, {}).clips


def test_files_that_are_no_clips_are_passed_over(tree):
    for name in ("Thumbs.db", ".DS_Store", "._00001.avi"):
        (tree / "Clip" / "clip_224x224" / name).write_bytes(b"x")
    assert len(dfew.open(tree, {}).clips) == 35


def test_the_fingerprint_changes_with_labels_and_files_but_not_with_the_place(tree, tmp_path):
    fingerprint = dfew.open(tree, {}).fingerprint
    moved = shutil.copytree(tree, tmp_path / "moved")
    assert dfew.open(moved, {}).fingerprint == fingerprint
    (moved / "Clip" / "clip_224x224" / "00001" / "00001_00002.jpg").write_bytes(b"x")
    assert dfew.open(moved, {}).fingerprint != fingerprint
    labels = {**dfew_labels(), "00001": 2, "00002": 1}
    write_dfew_lists(tree, labels)
    assert dfew.open(tree, {}).fingerprint != fingerprint


def test_the_london_clips_are_read_as_they_lie(london):
    source = dfew.open(london, {"classes": ["Happy", "Neutral"]})
    assert len(source.clips) == 408
    assert [len(fold.test) for fold in source.folds.values()] == [84, 84, 80, 80, 80]
    assert len({clip.group for clip in source.clips.values()}) == 102
    assert {clip.domain for clip in source.clips.values()} == {"studio", "warm", "cool", "dim"}
    for fold in source.folds.values():
        people = [{source.clips[clip_id].group for clip_id in split} for split in fold]
        assert not people[0] & people[1]


@pytest.mark.parametrize("row", [",", "00001,", "/data/00001 16 3,4", "x y,"])
def test_a_comma_in_a_list_of_spaces_is_named_with_its_line(tmp_path, row):
    root = trees.dfew_lists(tmp_path, "/data/{id} 16 {label}", suffix="txt")
    path = root / "EmoLabel_DataSplit" / "set_1_test.txt"
    path.write_text(path.read_text() + row + "\n")
    line = len(path.read_text().splitlines())
    with pytest.raises(CollectedError, match=f"{re.escape(str(path))}:{line}: "):
        dfew.open(root, {})
