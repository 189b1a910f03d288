"""Searches with real trainings: races, halts and goings-on, and what a search may see."""

import math
import re

import numpy as np
import pytest
from tiny_clips import textured_frames, write_frames

import harness.schedule.search.asking_importance  # noqa: F401 - Optuna, which a search imports late, draws when imported
from harness.data.clip import Clip, OfficialFold, Source
from harness.data.store import pack
from harness.errors import HarnessError
from harness.paths import RunPaths, pack_folder
from harness.schedule.search.search_scores import (
    SearchScores,
    check_search_sees_no_test_condition,
    validation_conditions,
)
from harness.schedule.session import Session
from harness.spec.study import StudySpec
from harness.spec.trial import DataRef
from harness.tables import schema, store
from harness.train.conditions import with_suite
from harness.train.manifest import write_manifest
from harness.train.preflight import Prepared
from harness.train.unit import execute

FRAMES, SIZE = 2, 32
SPEC = {
    "name": "tiny",
    "question": "Is the search true to its word?",
    "dataset": {"name": "made"},
    "folds": [1, 2, 3],
    "seeds": [0],
    "clip": {"frames": FRAMES, "size": SIZE, "max_stored_frames": 12, "augment": []},
    "training": {"epochs": 1, "batch_size": 8, "warmup_epochs": 0},
    "methods": {
        "net": {
            "model": {"name": "resnet18_lstm", "width": 2, "hidden": 4, "layers": 1},
            "optimizer": {"learning_rate": 0.02},
            "search": {"optimizer.learning_rate": {"log_uniform": [1e-5, 0.1]}},
        }
    },
}


def bright_and_dark(folder):
    """Thirty-six clips in three folds; the brighter half is the second class, so that a few steps tell them apart."""
    clips = {}
    for number in range(36):
        frames = textured_frames(6, size=SIZE, seed=number) // 4 + 128 * (number % 2)
        path = write_frames(folder / f"{number:03d}", frames.astype(np.uint8))
        clips[path.name] = Clip(clip_id=path.name, path=path, label=number % 2, group="", domain="")
    parts = [tuple(clips)[start : start + 12] for start in (0, 12, 24)]
    folds = {
        number: OfficialFold(tuple(name for name in clips if name not in part), part)
        for number, part in enumerate(parts, 1)
    }
    return Source(name="made", root=folder, classes=("dark", "bright"), clips=clips, folds=folds, excluded={})


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The clips, packed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DFERBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        made = bright_and_dark(tmp_path_factory.mktemp("clips"))
        pack(made, SIZE, 12, workers=1)
        yield made


def searched(source, out, search, **changes):
    """Run a search with real trainings, confirmation left out; its brain and its tables."""
    study = StudySpec.model_validate({**SPEC, "search": {"sampler": "qmc", **search}, **changes})
    run = RunPaths(out, study.name)
    write_manifest(source, run.manifest)
    dataset = DataRef(name="made", fingerprint=source.fingerprint)
    prepared = Prepared(source=source, dataset=dataset, pack=pack_folder(source.fingerprint, SIZE, 12))
    session = Session(study=study, run=run, prepared=prepared, device="cpu")
    brain = session.brain()
    while unit := brain.next():
        if unit.phase == "search":
            execute(session.task(unit), lambda event: None)
        brain.finished(unit)
    session.write_tables(brain)
    return brain, run


def trials_of(run):
    trials = store.read(run.table("trials"), schema.TRIALS)
    return trials[trials["phase"] == "search"]


@pytest.fixture
def by_number(monkeypatch, request):
    """Searches decide as if lower numbers (or those named first) were better; what they would have read of units."""
    read, score, best_first = {}, SearchScores.score, getattr(request, "param", (0, 1, 2))

    def ranked(self, unit):
        read[unit.key, unit.stop_after] = score(self, unit)
        return 1 - best_first.index(unit.configuration) / 10

    monkeypatch.setattr(SearchScores, "score", ranked)
    return read


def test_losers_of_a_race_are_not_trained_on_further_folds(source, tmp_path, by_number):
    racing = {"rule": "paired", "margin": 0.15}
    brain, run = searched(source, tmp_path, {"configurations": 3, "parallel": 3, "racing": racing}, folds=[1, 2])
    trained = trials_of(run).groupby("configuration").size()
    table = store.read(run.table("search"), schema.SEARCH).set_index("configuration")
    assert list(table["status"]) == ["complete", "complete", "raced_out"]
    assert list(trained) == [2, 2, 1]
    assert [sum(not math.isnan(score) for score in scores) for scores in table["scores"]] == [2, 2, 1]
    assert brain.spent["net"] == pytest.approx(5)
    assert {path.name for path in run.units.iterdir()} == set(trials_of(run)["trial_id"])
    assert all(0 <= score <= 1 for score in by_number.values())


@pytest.mark.parametrize("by_number", [(1, 0, 2)], indirect=True)
def test_a_halted_training_that_goes_on_is_the_training_that_never_halted(source, tmp_path, by_number):
    search = {"configurations": 3, "parallel": 3, "epochs": 3, "racing": "none"}
    stopping = {"rule": "median", "first_epoch": 1, "factor": 3}
    _, whole = searched(source, tmp_path / "whole", search, folds=[1])
    _, halted = searched(source, tmp_path / "halted", {**search, "stopping": stopping}, folds=[1])
    trials = trials_of(halted).set_index("configuration")
    assert list(trials["status"]) == ["done", "done", "stopped"]
    for trial_id in trials.loc[trials["status"] == "done", "trial_id"]:
        one, other = whole.unit(trial_id), halted.unit(trial_id)
        assert one.predictions("val").read_bytes() == other.predictions("val").read_bytes()
    for (key, epoch), score in by_number.items():
        if epoch is not None:
            epochs = store.read(whole.unit(key.rpartition(":")[2]).epochs, schema.EPOCHS)
            best = epochs[:epoch].sort_values(["val_uar", "val_loss"], ascending=[False, True]).iloc[0]
            assert score == best["val_uar"]
    assert {epoch for _, epoch in by_number} == {None, 1}


def test_a_search_for_robustness_sees_the_validation_suite_on_validation_clips_only(source, tmp_path):
    search = {"configurations": 2, "metrics": ["uar", "validation_robustness", "cost"]}
    stress = {"perturbations": ["frame_drop"], "severities": [1]}
    brain, run = searched(source, tmp_path, search, folds=[1], stress=stress)
    found = brain.searches["net"].configurations[1].objectives
    assert 0 <= found["validation_robustness"] <= 1
    assert found["cost"] == 1
    wanted = {(one.perturbation, one.severity) for one in validation_conditions()}
    for trial_id in trials_of(run)["trial_id"]:
        files = sorted(run.unit(trial_id).folder.glob("predictions-*"))
        assert not any("test" in path.name for path in files)
        shown = set()
        for path in files:
            table = store.read(path, schema.predictions(2))
            assert set(table["split"]) == {"val"}
            assert set(table["clip_id"]) <= set(source.fold(1).train)
            shown |= set(zip(table["perturbation"], table["severity"], strict=True))
        assert shown == wanted | {("clean", 0)}


def test_a_study_may_not_test_what_its_search_for_robustness_is_shown():
    stress = {"perturbations": ["hue", "frame_drop"], "severities": [1]}
    study = StudySpec.model_validate({**SPEC, "search": {"metrics": ["validation_robustness"]}, "stress": stress})
    with pytest.raises(HarnessError, match="stress names hue, which a search for validation_robustness is shown"):
        check_search_sees_no_test_condition(study)
    check_search_sees_no_test_condition(study.model_copy(update={"search": None}))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("imagenet_c.speckle_noise", "speckle_noise"),
    ],
)
def test_nor_may_it_test_what_is_made_of_that(name, part):
    stress = {"perturbations": [name, "fog"], "severities": [1]}
    study = StudySpec.model_validate({**SPEC, "search": {"metrics": ["validation_robustness"]}, "stress": stress})
    with pytest.raises(HarnessError) as refused:
        check_search_sees_no_test_condition(study)
    assert str(refused.value).startswith(f"stress names {name} (made of {part}), which a search for ")


@pytest.mark.parametrize(
    ("suite", "refused"),
    [
        ("core", []),
        ("full", []),
        ("rafdb_c", []),
        ("imagenet_c", ["imagenet_c.speckle_noise"]),
        ("kinetics_c", []),
    ],
)
def test_of_the_suites_core_may_stand_beside_a_search_for_robustness(suite, refused):
    search = {"metrics": ["validation_robustness"]}
    study = with_suite(StudySpec.model_validate({**SPEC, "search": search, "stress": {"suite": suite}}))
    try:
        check_search_sees_no_test_condition(study)
        found = []
    except HarnessError as error:
        found = re.findall(r"([\w.]+) \(made of", str(error))
    assert found == refused
