"""What holds for every data set plugin, found by name; those with a tree in ``tests/trees.py`` are opened as well."""

from dataclasses import replace
from pathlib import Path

import pytest
import trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.data.split import carve
from harness.errors import CollectedError, HarnessError
from harness.plugins import load, names
from harness.spec.trial import ValidationSpec

NAMES = names("dataset")
WITH_TREE = [name for name in NAMES if hasattr(trees, f"write_{name}")]


@pytest.fixture(params=WITH_TREE)
def opened(request, tmp_path):
    """A data set's name and a small tree laid out like it on disk."""
    return request.param, getattr(trees, f"write_{request.param}")(tmp_path / "tree")


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_says_what_it_is_and_where_it_comes_from(name):
    dataset = load("dataset", name)
    assert len(dataset.title) > 2
    assert len(dataset.paper) > 10


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_an_error_that_names_it(name, tmp_path):
    with pytest.raises(HarnessError, match="no option 'colour'"):
        load("dataset", name).open(tmp_path, {"colour": "red"})


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_root_is_an_error_that_names_it(name, tmp_path):
    with pytest.raises(HarnessError, match="nowhere"):
        load("dataset", name).open(tmp_path / "nowhere", {})


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_root_is_an_error_that_names_it(name, tmp_path):
    (tmp_path / "hollow").mkdir()
    with pytest.raises(HarnessError, match="hollow"):
        load("dataset", name).open(tmp_path / "hollow", {})


def test_clips_and_folds_fit_together(opened):
    name, root = opened
    source = load("dataset", name).open(root, {})
    assert source.name == name
    assert source.clips
    assert {clip.label for clip in source.clips.values()} == set(range(len(source.classes)))
    for clip_id, clip in source.clips.items():
        assert clip.clip_id == clip_id
        assert clip.path.exists()
    for fold in source.folds.values():
        assert fold.train
        assert fold.test
        assert not set(fold.train) & set(fold.test)
        assert set(fold.train) | set(fold.test) <= set(source.clips)


def test_every_fold_can_be_trained_validated_and_tested(opened):
    name, root = opened
    source = load("dataset", name).open(root, {})
    for index in source.folds:
        fold = carve(source, index, ValidationSpec(fraction=0.3))
        for split in (fold.train, fold.val):
            assert {source.clips[clip_id].label for clip_id in split} == set(range(len(source.classes)))


def test_groups_are_known_for_all_clips_or_for_none(opened):
    name, root = opened
    groups = {bool(clip.group) for clip in load("dataset", name).open(root, {}).clips.values()}
    assert len(groups) == 1


def test_the_place_on_disk_changes_nothing_but_the_paths(opened, tmp_path):
    name, root = opened
    before = load("dataset", name).open(root, {})
    fingerprint = before.fingerprint
    moved = root.rename(tmp_path / "elsewhere")
    after = load("dataset", name).open(moved, {})
    assert after.fingerprint == fingerprint
    assert [replace(c, path=before.clips[c.clip_id].path) for c in after.clips.values()] == list(before.clips.values())


def test_a_clip_whose_file_is_empty_is_named_before_anything_is_decoded(opened):
    name, root = opened
    clip = next(iter(load("dataset", name).open(root, {}).clips.values()))
    if clip.path.is_dir():
        for frame in clip.path.iterdir():
            frame.unlink()
    else:
        clip.path.write_bytes(b"")
    with pytest.raises(CollectedError) as caught:
        load("dataset", name).open(root, {})
    assert any(clip.path.name in problem for problem in caught.value.problems)


def test_a_clip_without_its_file_can_be_left_out_and_is_then_listed(opened):
    name, root = opened
    clip = next(iter(load("dataset", name).open(root, {}).clips.values()))
    if clip.path.is_dir():
        for frame in clip.path.iterdir():
            frame.unlink()
    else:
        clip.path.write_bytes(b"")
    source = load("dataset", name).open(root, {"on_bad_clip": "drop"})
    assert list(source.excluded) == [clip.clip_id]
    assert clip.clip_id not in source.clips
    assert all(clip.clip_id not in split for fold in source.folds.values() for split in fold)


def test_folds_can_be_made_anew(opened):
    name, root = opened
    source = load("dataset", name).open(root, {"folds": "k_fold", "k": 3})
    assert list(source.folds) == [1, 2, 3]
    tested = [clip_id for fold in source.folds.values() for clip_id in fold.test]
    assert sorted(tested) == sorted(source.clips)


def test_some_classes_can_be_kept(opened):
    name, root = opened
    classes = load("dataset", name).open(root, {}).classes
    source = load("dataset", name).open(root, {"classes": [classes[1], classes[0]]})
    assert source.classes == (classes[1], classes[0])
    assert {clip.label for clip in source.clips.values()} == {0, 1}


GARBAGE = st.sampled_from(
    ["../../etc/passwd,1", "../../etc/passwd Sad", "1,1,1,1", "nonsense", ",", "99999,3", "War/Sad/0010 9", "é ü", "\0"]
)
KINDS = st.sampled_from(["delete", "empty", "stub", "litter", "insert", "repeat", "drop", "utf-16", "latin-1"])
DAMAGE = st.lists(st.tuples(KINDS, st.integers(0, 10**6), GARBAGE), min_size=1, max_size=4)
TREES = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def damage(root: Path, kind: str, which: int, garbage: str) -> None:
    """Do one thing to a tree that happens to trees on people's disks."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    lists = [path for path in files if path.suffix in {".csv", ".txt"}] or files
    clips = [path for path in files if path not in lists] or files
    clip, listing = clips[which % len(clips)], lists[which % len(lists)]
    lines = listing.read_bytes().split(b"\n")
    row = which % len(lines)
    actions = {
        "delete": lambda: clip.unlink(),
        "empty": lambda: clip.write_bytes(b""),
        "stub": lambda: clip.write_bytes(b"version https://git-lfs.github.com/spec/v1\n"),
        "litter": lambda: [(clip.parent / name).write_bytes(b"x") for name in ("Thumbs.db", ".DS_Store", "._x.avi")],
        "insert": lambda: listing.write_bytes(b"\n".join([*lines[:row], garbage.encode(), *lines[row:]])),
        "repeat": lambda: listing.write_bytes(b"\n".join([*lines[:row], lines[row], *lines[row:]])),
        "drop": lambda: listing.write_bytes(b"\n".join([*lines[:row], *lines[row + 1 :]])),
        "utf-16": lambda: listing.write_bytes(listing.read_bytes().decode(errors="replace").encode("utf-16")),
        "latin-1": lambda: listing.write_bytes(listing.read_bytes() + b"\ncaf\xe9,1\n"),
    }
    actions[kind]()


def contents(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", trees.LAYOUTS)
def test_every_layout_is_read_whole(tmp_path, name):
    layout = trees.LAYOUTS[name]
    source = load("dataset", layout.dataset).open(layout.write(tmp_path / "tree"), layout.options)
    assert source.excluded == {}
    assert {clip.label for clip in source.clips.values()} == set(range(len(source.classes)))
    assert source.folds


@pytest.mark.parametrize("name", trees.LAYOUTS)
@given(damages=DAMAGE)
@TREES
def test_a_damaged_tree_is_read_rightly_or_refused_in_words_and_never_changed(tmp_path_factory, name, damages):
    layout = trees.LAYOUTS[name]
    root = layout.write(tmp_path_factory.mktemp("tree") / "tree")
    for one in damages:
        damage(root, *one)
    before = contents(root)
    for options in ({}, {"on_bad_clip": "drop"}):
        try:
            source = load("dataset", layout.dataset).open(root, {**layout.options, **options})
        except HarnessError:
            continue
        listed = {clip_id for fold in source.folds.values() for split in fold for clip_id in split}
        assert listed <= set(source.clips)
        assert all(clip.path.is_relative_to(root) and clip.path.exists() for clip in source.clips.values())
        assert all(clip.path.is_dir() or clip.path.stat().st_size for clip in source.clips.values())
    assert contents(root) == before
