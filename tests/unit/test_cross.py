"""Training on one data set and testing on another: the declared mapping, and nothing else, joins their classes."""

import pytest
import trees

from harness.data.split import carve
from harness.datasets.cross import cross
from harness.errors import HarnessError
from harness.spec.trial import ValidationSpec

MAPPING = {
    "Happy": {"train": ["Happy"], "test": ["Happiness"]},
    "Negative": {"train": ["Sad", "Angry"], "test": ["Sadness", "Anger"]},
}


@pytest.fixture
def root(tmp_path):
    trees.write_dfew(tmp_path / "DFEW")
    trees.write_mafw(tmp_path / "MAFW")
    return tmp_path


def options(**changes) -> dict:
    return {
        "train": {"name": "dfew", "folder": "DFEW"},
        "test": {"name": "mafw", "folder": "MAFW"},
        "mapping": MAPPING,
        **changes,
    }


def test_the_one_set_is_trained_on_and_the_other_tested_on(root):
    source = cross.open(root, options())
    assert source.classes == ("Happy", "Negative")
    fold = source.folds[1]
    assert len(fold.train) == 5 * 3
    assert len(fold.test) == 5 * 3
    assert {source.clips[clip_id].domain for clip_id in fold.train} == {"dfew"}
    assert {source.clips[clip_id].domain for clip_id in fold.test} == {"mafw"}


def test_classes_are_joined_as_declared(root):
    source = cross.open(root, options())
    assert source.clips["train/00001"].label == 0
    assert source.clips["train/00002"].label == source.clips["train/00004"].label == 1
    assert source.clips["test/00001"].label == 1
    assert "train/00003" not in source.clips


def test_validation_clips_come_from_the_training_set(root):
    fold = carve(cross.open(root, options()), 1, ValidationSpec(fraction=0.3))
    assert {clip_id.split("/")[0] for clip_id in fold.train + fold.val} == {"train"}


def test_the_same_set_can_be_on_both_sides(root):
    mapping = {name: {"train": [name], "test": [name]} for name in ("Happy", "Sad")}
    fold = cross.open(root, options(test={"name": "dfew", "folder": "DFEW"}, mapping=mapping)).folds[1]
    assert [c.removeprefix("train/") for c in fold.train] == [c.removeprefix("test/") for c in fold.test]


def test_bad_clips_of_either_side_can_be_left_out(root):
    (root / "MAFW" / "data" / "clips" / "00001.mp4").write_bytes(b"")
    with pytest.raises(HarnessError, match=r"00001.mp4 is empty"):
        cross.open(root, options())
    assert list(cross.open(root, options(on_bad_clip="drop")).excluded) == ["test/00001"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mapping": {**MAPPING, "Fear": {"train": ["Fear"], "test": ["Feer"]}}}, "Did you mean 'Fear'"),
        ({"mapping": {**MAPPING, "Sad": {"train": ["Sad"], "test": ["Fear"]}}}, "'Sad' of dfew is mapped to two"),
        ({"mapping": {"Happy": MAPPING["Happy"]}}, "two or more classes"),
        ({"train": {"name": "dfw", "folder": "DFEW"}}, "Did you mean 'dfew'"),
        ({"train": {"name": "dfew", "folder": "DFWE"}}, "Did you mean 'DFEW'"),
        ({"mapping": {"Happy": {"train": ["Happy"]}}}, "option 'mapping.Happy.test'"),
    ],
)
def test_a_wrong_declaration_is_named(root, changes, message):
    with pytest.raises(HarnessError, match=message):
        cross.open(root, options(**changes))


def test_missing_options_are_named(root):
    with pytest.raises(HarnessError, match="needs the options mapping, test, train"):
        cross.open(root, {})
