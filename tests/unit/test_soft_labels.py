"""Annotators' votes: from lists through the manifest into a batch, and into a trial's identity where they are used."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trees
from hypothesis import given
from hypothesis import strategies as st
from tiny_clips import dfew_labels, write_dfew, write_lines
from tiny_unit import make_clips, make_task
from workbooks import write_votes

from harness.data.clip import Clip
from harness.data.votes import regrouped, shares_of
from harness.datasets.clip_folder import clip_folder
from harness.datasets.cross import cross
from harness.datasets.dfew import dfew
from harness.errors import CollectedError, HarnessError
from harness.spec.method import RecipeSpec
from harness.spec.strict import PluginSpec
from harness.spec.study import StudySpec
from harness.spec.trial import ADDED, ClipSpec, DataRef, TrainingSpec, TrialSpec, ValidationSpec
from harness.tables import schema, store
from harness.train.batch_transforms import mix
from harness.train.batches import Batch, soft_targets
from harness.train.manifest import read_manifest, write_manifest
from harness.train.targets import check_soft_labels, check_targets
from harness.train.unit import execute


def votes_for(labels: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Seven votes for the label, two for the class after it, one for the class after that."""
    counts = (7, 2, 1, 0, 0, 0, 0)
    return {clip_id: tuple(np.roll(counts, label - 1).tolist()) for clip_id, label in labels.items()}


@pytest.fixture
def voted(tmp_path):
    root = write_dfew(tmp_path / "DFEW")
    write_votes(root, votes_for(dfew_labels()))
    return root


def study(**training) -> StudySpec:
    methods = {"m": {"model": {"name": "x3d"}}}
    return StudySpec.model_validate(
        {
            "name": "s",
            "question": "?",
            "dataset": {"name": "dfew"},
            "folds": [1],
            "training": training,
            "methods": methods,
        }
    )


def test_votes_become_class_probabilities_in_label_order(voted):
    for clip in dfew.open(voted, {}).clips.values():
        assert np.argmax(clip.label_distribution) == clip.label
        assert sorted(clip.label_distribution) == [0, 0, 0, 0, 0.1, 0.2, 0.7]


def test_votes_for_left_out_classes_count_for_none(voted):
    source = dfew.open(voted, {"classes": ["Neutral", "Happy"]})
    happy = next(clip for clip in source.clips.values() if clip.label == 1)
    assert happy.label_distribution == pytest.approx((1 / 8, 7 / 8))


def test_votes_can_be_left_where_they_are(voted):
    assert not any(clip.label_distribution for clip in dfew.open(voted, {"votes": False}).clips.values())


def test_votes_that_are_demanded_must_be_there(tmp_path):
    with pytest.raises(HarnessError, match=r"annotation\.xlsx: there is no such file.*votes: false"):
        dfew.open(write_dfew(tmp_path), {"votes": True})


def test_classes_that_two_data_sets_share_share_their_votes(voted, tmp_path):
    trees.write_mafw(tmp_path / "MAFW")
    mapping = {
        "up": {"train": ["Happy", "Sad"], "test": ["Happiness"]},
        "down": {"train": ["Neutral"], "test": ["Neutral"]},
    }
    sides = {"train": {"name": "dfew", "folder": "DFEW"}, "test": {"name": "mafw", "folder": "MAFW"}}
    clips = cross.open(tmp_path, {**sides, "mapping": mapping}).clips
    assert clips["train/00001"].label_distribution == pytest.approx((0.9, 0.1))
    assert not next(clip for clip in clips.values() if clip.clip_id.startswith("test/")).label_distribution


@given(
    votes=st.lists(st.integers(0, 10), min_size=3, max_size=7).filter(any),
    data=st.data(),
)
def test_regrouped_votes_sum_to_one_or_to_nothing(votes, data):
    places = data.draw(st.lists(st.sets(st.integers(0, len(votes) - 1)), min_size=2, max_size=4))
    shares = shares_of(tuple(map(float, votes)))
    out = regrouped(shares, [sorted(one) for one in places])
    assert not out or sum(out) == pytest.approx(1)
    assert bool(out) == any(votes[old] for one in places for old in one)
    assert regrouped(shares, [[old] for old in range(len(votes))]) == shares


def test_a_folder_of_clips_can_bring_votes(tmp_path):
    root = trees.write_clip_folder(tmp_path / "mine")
    rows = [
        f"{emotion}/c{n}{'' if n % 2 else '.mp4'},{3 - n % 2},1" for emotion in ("calm", "excited") for n in range(6)
    ]
    rows[0] = "calm/c0.mp4,,"
    write_lines(root / "clips.csv", ["clip,votes:calm,votes:excited", *rows])
    clips = clip_folder.open(root, {}).clips
    assert clips["calm/c1"].label_distribution == pytest.approx((2 / 3, 1 / 3))
    assert clips["calm/c0.mp4"].label_distribution == ()


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        ("clip,votes:calm", "1", r"clips.csv:2: votes are there, but no column is named 'votes:excited'"),
        ("clip,votes:calm,votes:excited,votes:exited", "1,1,1", r"votes for 'exited'.*Did you mean 'excited'"),
        ("clip,votes:calm,votes:excited", "1,-1", r"clips.csv:2: votes are numbers from 0 on, not '1', '-1'"),
        ("clip,votes:calm,votes:excited", "1,x", r"votes are numbers from 0 on, not '1', 'x'"),
    ],
)
def test_votes_that_do_not_fit_are_told(tmp_path, header, cells, message):
    root = trees.write_clip_folder(tmp_path / "mine")
    names = [f"{emotion}/c{n}{'' if n % 2 else '.mp4'}" for emotion in ("calm", "excited") for n in range(6)]
    write_lines(root / "clips.csv", [header, *(f"{name},{cells}" for name in names)])
    with pytest.raises(CollectedError, match=message):
        clip_folder.open(root, {})


def test_the_manifest_carries_votes_exactly(voted, tmp_path):
    source = dfew.open(voted, {})
    write_manifest(source, tmp_path / "manifest.json")
    read = read_manifest(tmp_path / "manifest.json")
    for clip_id, clip in source.clips.items():
        assert read.clips[clip_id].label_distribution == clip.label_distribution


def test_votes_are_part_of_what_is_trained_on_only_where_they_are_used(voted):
    with_votes, without = dfew.open(voted, {}), dfew.open(voted, {"votes": False})
    assert with_votes.fingerprint == without.fingerprint
    assert with_votes.identity(soft_labels=False) == with_votes.fingerprint
    assert with_votes.identity(soft_labels=True) != without.identity(soft_labels=True)
    assert with_votes.identity(soft_labels=True) != with_votes.fingerprint


def trial(**training) -> TrialSpec:
    return TrialSpec(
        dataset=DataRef(name="dfew", fingerprint="0"),
        fold=1,
        seed=0,
        clip=ClipSpec(),
        validation=ValidationSpec(),
        training=TrainingSpec(**training),
        recipe=RecipeSpec(model=PluginSpec(name="x3d")),
    )


def test_a_field_added_later_renames_only_trials_that_use_it():
    plain = trial()
    assert trial(soft_labels=True).trial_id != plain.trial_id
    assert trial(soft_labels=False).trial_id == plain.trial_id
    for part, names in ADDED.items():
        assert set(names) <= set(type(getattr(plain, part)).model_fields)


def batch(distributions: torch.Tensor | None) -> Batch:
    pixels = torch.zeros(2, 3, 3, 4, 4, dtype=torch.uint8)
    labels = torch.tensor([0, 1])
    return Batch(clip_ids=("a", "b"), pixels=pixels, labels=labels, groups=labels, label_distributions=distributions)


def test_mixed_soft_labels_are_the_mixture_of_both_clips_votes():
    soft = soft_targets(batch(torch.tensor([[0.7, 0.3], [0.2, 0.8]])), torch.device("cpu"))
    clips = torch.stack([torch.zeros(3, 3, 4, 4), torch.ones(3, 3, 4, 4)])
    mixed = mix("mixup", clips, soft, 1.0, np.random.default_rng(1))
    share = mixed.clips.mean(dim=(1, 2, 3, 4))[:, None]
    torch.testing.assert_close(mixed.distributions, (1 - share) * soft[0] + share * soft[1])


def test_a_training_goes_by_votes_only_if_it_is_told_to(tmp_path, monkeypatch):
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "cache"))
    source = make_clips(tmp_path / "made")
    votes = {0: (0.8, 0.2), 1: (0.3, 0.7)}
    voted = {i: replace(clip, label_distribution=votes[clip.label]) for i, clip in source.clips.items()}

    def loss(name: str, clips: dict[str, Clip], **training) -> float:
        write_manifest(replace(source, clips=clips), source.root / "manifest.json")
        task = make_task(source, tmp_path / name, training={"epochs": 1, **training})
        execute(task, lambda event: None)
        return store.read(task.paths.epochs, schema.EPOCHS)["train_loss"].item()

    hard, soft = loss("voted", voted), loss("voted", voted, soft_labels=True)
    assert hard == loss("bare", source.clips)
    assert len({hard, soft, loss("voted", voted, soft_labels=True, mix={"name": "mixup"})}) == 3


def test_a_batch_without_all_votes_is_named():
    with pytest.raises(HarnessError, match="a, b"):
        soft_targets(batch(None), torch.device("cpu"))


def test_clips_without_votes_are_named_before_training(voted, tmp_path):
    check_soft_labels(study(soft_labels=True), dfew.open(voted, {}))
    bare = dfew.open(write_dfew(tmp_path / "bare"), {})
    check_soft_labels(study(), bare)
    with pytest.raises(HarnessError, match="has no annotators' votes"):
        check_soft_labels(study(soft_labels=True), bare)
    write_votes(voted, dict(list(votes_for(dfew_labels()).items())[1:]))
    with pytest.raises(HarnessError, match="1 of 35 clips of dfew have no votes: 00001"):
        check_soft_labels(study(soft_labels=True), dfew.open(voted, {}))


@pytest.mark.parametrize("training", [{"soft_labels": True}, {"mix": {"name": "mixup"}}])
def test_an_objective_of_single_labels_is_refused_before_training(training, monkeypatch):
    from harness.objectives.focal import focal

    recipe = RecipeSpec(model=PluginSpec(name="x3d"), objective=PluginSpec(name="focal"))
    check_targets(recipe, TrainingSpec(**training))
    monkeypatch.setattr("harness.train.targets.load", lambda kind, name: replace(focal, takes_distributions=False))
    check_targets(recipe, TrainingSpec())
    with pytest.raises(HarnessError, match="'focal' goes by single labels"):
        check_targets(recipe, TrainingSpec(**training))
