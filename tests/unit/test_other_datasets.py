"""FERV39k, MAFW, CREMA-D, RAVDESS, CAER and folders of clips: their own layouts, label orders and pitfalls."""

import re
import shutil

import pytest
import trees
from tiny_clips import write_lines
from trees import problems_of

from harness.datasets.caer import caer
from harness.datasets.clip_folder import clip_folder
from harness.datasets.cremad import cremad
from harness.datasets.ferv39k import ferv39k
from harness.datasets.mafw import mafw
from harness.datasets.ravdess import ravdess
from harness.errors import HarnessError

FERV_LISTS = "4_setups/All_scenes"


# FERV39k


def test_ferv39k_clips_are_named_by_their_whole_path_because_numbers_repeat(tmp_path):
    source = ferv39k.open(trees.write_ferv39k(tmp_path), {})
    assert len(source.clips) == 4 * 7 * 3
    clip = source.clips["War/Fear/0010"]
    assert (source.classes[clip.label], clip.group, clip.domain) == ("Fear", "War", "War")
    assert len(source.folds[1].test) == 4 * 7


def test_the_first_clip_of_a_ferv39k_list_is_not_taken_for_a_header(tmp_path):
    source = ferv39k.open(trees.write_ferv39k(tmp_path), {})
    assert "Action/Happy/0010" in source.folds[1].train
    assert "Action/Happy/0012" in source.folds[1].test


@pytest.mark.parametrize("nested", ["2_ClipsforFaceCrop-002/2_ClipsforFaceCrop", "FERV39k/2_ClipsforFaceCrop"])
def test_nested_ferv39k_archives_are_found(tmp_path, nested):
    source = ferv39k.open(trees.write_ferv39k(tmp_path / "FERV39K" / "FERV39k", nested).parent.parent, {})
    assert len(source.clips) == 84


def test_face_crops_are_preferred_to_whole_scenes(tmp_path):
    root = trees.write_ferv39k(tmp_path)
    shutil.copytree(root / "2_ClipsforFaceCrop", root / "1_ClipsforScenImages")
    assert "FaceCrop" in str(ferv39k.open(root, {}).clips["War/Fear/0010"].path)
    chosen = ferv39k.open(root, {"clips": "1_ClipsforScenImages"})
    assert "ScenImages" in str(chosen.clips["War/Fear/0010"].path)


def ferv_rows(root, change) -> None:
    for split in ("train", "test"):
        path = root / FERV_LISTS / f"{split}_All.csv"
        rows = [line.rsplit(" ", 1) for line in path.read_text().splitlines()]
        path.write_text("".join(change(clip, word) + "\n" for clip, word in rows))


@pytest.mark.parametrize("order", [trees.FERV_CLASSES, sorted(trees.FERV_CLASSES)])
@pytest.mark.parametrize("form", ["{clip} {number}", "/data/FERV39k/2_ClipsforFaceCrop/{clip} 24 {number}"])
def test_both_integer_orders_of_ferv39k_are_told_apart_by_the_folders(tmp_path, order, form):
    expected = ferv39k.open(trees.write_ferv39k(tmp_path / "words"), {})
    root = trees.write_ferv39k(tmp_path / "numbers")
    ferv_rows(root, lambda clip, word: form.format(clip=clip, number=list(order).index(word)))
    assert ferv39k.open(root, {}).fingerprint == expected.fingerprint


def test_integer_labels_in_no_known_order_are_refused(tmp_path):
    root = trees.write_ferv39k(tmp_path)
    ferv_rows(root, lambda clip, word: f"{clip} {6 - trees.FERV_CLASSES.index(word)}")
    assert "neither in DFEW's order nor in the alphabet's" in problems_of(ferv39k, root)


def test_mistakes_in_a_ferv39k_list_are_named_with_their_lines(tmp_path):
    root = trees.write_ferv39k(tmp_path)
    path = root / FERV_LISTS / "train_All.csv"
    lines = ["../../etc/passwd Sad", "War/Sad/0010 Happy", "War/Sad/9999 Sad", "War/Sad/0011 Sadd", "War/Sad/0012 Sad"]
    write_lines(path, [*path.read_text().splitlines(), *lines])
    found = problems_of(ferv39k, root)
    assert re.search(r"train_All.csv:57: .*points outside", found)
    assert re.search(r"train_All.csv:58: clip 'War/Sad/0010' is labelled Happy but lies in the folder Sad", found)
    assert re.search(r"train_All.csv:59: clip '9999' has no file", found)
    assert re.search(r"train_All.csv:60: 'Sadd' is none of the classes", found)
    assert re.search(r"test_All.csv:\d+: test clip 'War/Sad/0012' is in training too", found)


def test_one_scene_can_be_left_out_at_a_time(tmp_path):
    source = ferv39k.open(trees.write_ferv39k(tmp_path), {"folds": "leave_domain_out"})
    tested = [{clip_id.split("/")[0] for clip_id in fold.test} for fold in source.folds.values()]
    assert tested == [{scene} for scene in trees.FERV_SCENES]


# MAFW


def test_mafw_words_give_labels_and_five_folds(tmp_path):
    source = mafw.open(trees.write_mafw(tmp_path), {})
    assert {source.classes[clip.label].lower() for clip in source.clips.values()} == set(trees.MAFW_WORDS)
    assert source.classes[source.clips["00001"].label] == "Anger"
    assert [len(fold.test) for fold in source.folds.values()] == [11] * 5


def test_mafw_frames_are_preferred_to_videos(tmp_path):
    root = trees.write_mafw(tmp_path)
    for clip in (root / "data" / "clips").iterdir():
        trees.frames(root / "data" / "frames" / clip.stem)
    assert mafw.open(root, {}).clips["00001"].path.is_dir()
    assert mafw.open(root, {"clips": "clips"}).clips["00001"].path.suffix == ".mp4"


@pytest.mark.parametrize(
    ("order", "anger", "happiness"), [("dfer_clip", 3, 0), ("mae_dfer", 0, 3), ("alphabetical", 0, 6)]
)
def test_integer_labels_of_mafw_need_their_order_stated(tmp_path, order, anger, happiness):
    root = trees.write_mafw(tmp_path)
    expected = mafw.open(root, {})
    names = [name.lower() for name in expected.classes]
    if order == "alphabetical":
        names = sorted(names)
    if order == "mae_dfer":
        names = [*trees.MAFW_WORDS[:3], "happiness", "neutral", "sadness", "surprise", *trees.MAFW_WORDS[7:]]
    assert (names.index("anger"), names.index("happiness")) == (anger, happiness)
    for path in root.rglob("*.txt"):
        rows = [line.split() for line in path.read_text().splitlines()]
        write_lines(path, [f"/data/MAFW/frames/{clip[:5]} 90 {names.index(word)}" for clip, word in rows])
    assert "'label_order'" in problems_of(mafw, root)
    assert mafw.open(root, {"label_order": order}).fingerprint == expected.fingerprint


def test_compound_labels_of_mafw_are_classes_of_their_own(tmp_path):
    root = trees.write_mafw(tmp_path)
    for path in list(root.rglob("*.txt")):
        lines = path.read_text().replace("fear", "anger_disgust").splitlines()
        write_lines(root / "split" / "compound" / path.relative_to(root / "split" / "single"), lines)
    source = mafw.open(root, {"labels": "compound"})
    assert "Anger_disgust" in source.classes
    assert "Fear" not in source.classes


def test_an_unknown_word_in_a_mafw_list_is_answered_with_the_nearest(tmp_path):
    root = trees.write_mafw(tmp_path)
    path = root / "split/single/no_caption/set_1/test.txt"
    path.write_text(path.read_text().replace("anger", "angr"))
    assert re.search(r"test.txt:1: No class named 'angr'. Did you mean 'anger'", problems_of(mafw, root))


# CREMA-D, RAVDESS, CAER


def test_cremad_labels_actors_and_levels_stand_in_the_names(tmp_path):
    source = cremad.open(trees.write_cremad(tmp_path), {})
    clip = source.clips["1003_DFA_HAP_HI"]
    assert (source.classes[clip.label], clip.group, clip.domain) == ("Happy", "1003", "HI")
    assert list(source.folds) == [1, 2, 3, 4, 5]
    for fold in source.folds.values():
        actors = [{source.clips[clip_id].group for clip_id in split} for split in fold]
        assert not actors[0] & actors[1]


def test_cremads_pointer_stubs_are_named(tmp_path):
    root = trees.write_cremad(tmp_path)
    stub = root / "VideoFlash" / "1001_DFA_ANG_HI.flv"
    stub.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 208543\n")
    assert f"{stub} is a Git LFS pointer" in problems_of(cremad, root)


def test_ravdess_never_takes_a_recording_twice(tmp_path):
    root = trees.write_ravdess(tmp_path)
    for modality in ("01", "02"):
        source = ravdess.open(root, {"modality": modality})
        assert len(source.clips) == 12 * 8
        assert {clip_id[:2] for clip_id in source.clips} == {modality}


def test_ravdess_folds_are_blocks_of_actors(tmp_path):
    source = ravdess.open(trees.write_ravdess(tmp_path), {})
    assert {source.clips[clip_id].group for clip_id in source.folds[1].test} == {"Actor_01", "Actor_02"}
    clip = source.clips["02-01-06-01-01-01-07"]
    assert (source.classes[clip.label], clip.group, clip.domain) == ("Fearful", "Actor_07", "normal")


def test_caers_validation_part_joins_training_or_is_left_out(tmp_path):
    root = trees.write_caer(tmp_path)
    assert len(caer.open(root, {}).folds[1].train) == 28
    assert len(caer.open(root, {"validation": "leave_out"}).folds[1].train) == 21
    assert "validation/Sad/0001" in caer.open(root, {}).clips


def test_a_caer_folder_of_another_name_is_named(tmp_path):
    root = trees.write_caer(tmp_path)
    trees.video(root / "train" / "Angry" / "0001.avi")
    assert "'Angry' is none of the classes" in problems_of(caer, root)


# A folder of clips


def test_a_folder_of_clips_needs_no_list(tmp_path):
    source = clip_folder.open(trees.write_clip_folder(tmp_path), {})
    assert source.classes == ("calm", "excited")
    assert source.clips["calm/c0.mp4"].label == 0
    assert list(source.folds) == [1, 2, 3, 4, 5]


LISTED = """clip,label,group,domain,fold
calm/c0.mp4,serene,ann,lab,1
calm/c1,serene,bob,lab,2
calm/c2.mp4,serene,cid,street,0
excited/c0.mp4,,ann,street,1
excited/c1,,bob,street,2
excited/c2.mp4,,cid,street,0
"""


def test_a_list_states_labels_groups_domains_and_folds(tmp_path):
    root = trees.write_clip_folder(tmp_path)
    (root / "clips.csv").write_text(LISTED)
    source = clip_folder.open(root, {"unlisted": "ignore"})
    assert source.classes == ("excited", "serene")
    clip = source.clips["calm/c1"]
    assert (source.classes[clip.label], clip.group, clip.domain) == ("serene", "bob", "lab")
    assert source.folds[1].test == ("calm/c0.mp4", "excited/c0.mp4")
    assert source.folds[2].test == ("calm/c1", "excited/c1")
    assert "calm/c2.mp4" in source.folds[1].train
    assert "calm/c2.mp4" in source.folds[2].train


def test_a_list_may_state_training_and_test_instead(tmp_path):
    root = trees.write_clip_folder(tmp_path)
    listed = sorted(clip_folder.open(root, {}).clips)
    write_lines(
        root / "mine.csv", ["clip,split", *(f"{name},{'test' if 'c4' in name else 'train'}" for name in listed)]
    )
    assert clip_folder.open(root, {"listing": "mine.csv"}).folds[1].test == ("calm/c4.mp4", "excited/c4.mp4")


def test_files_without_rows_are_counted_and_named(tmp_path):
    root = trees.write_clip_folder(tmp_path)
    (root / "clips.csv").write_text(LISTED)
    assert "'calm/c3' and 5 other clips are not listed" in problems_of(clip_folder, root)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("../../etc/passwd,x", "points outside"),
        ("calm/c0.mp4,x", "is listed already at .*:2"),
        ("calm/gone.mp4,x", "has no file"),
        ("calm/c1,x,y", "3 cells under a header of 2"),
        ("stray.mp4,", "has no label"),
        ("calm/notes.txt,x", "neither a video nor a folder"),
    ],
)
def test_mistakes_in_a_list_of_clips_are_named_with_their_lines(tmp_path, row, message):
    root = trees.write_clip_folder(tmp_path)
    (root / "calm" / "notes.txt").write_text("x")
    write_lines(root / "clips.csv", ["clip,label", "calm/c0.mp4,x", "excited/c0.mp4,y", row])
    assert re.search(rf"clips.csv:4: .*{message}", problems_of(clip_folder, root, {"unlisted": "ignore"}))


@pytest.mark.parametrize(("header", "message"), [("clip,lable", "Did you mean 'label'"), ("label", "no column 'clip'")])
def test_a_list_of_clips_with_a_wrong_header_is_refused(tmp_path, header, message):
    root = trees.write_clip_folder(tmp_path)
    write_lines(root / "clips.csv", [header])
    assert message in problems_of(clip_folder, root)


def test_a_named_list_must_be_there(tmp_path):
    with pytest.raises(HarnessError, match=r"mine.csv: cannot be read"):
        clip_folder.open(trees.write_clip_folder(tmp_path), {"listing": "mine.csv"})
