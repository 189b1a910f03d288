"""What holds for every data set plugin, found by name; those with a tree in ``tests/trees.py`` are opened as well."""

from dataclasses import replace

import pytest
import trees

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
