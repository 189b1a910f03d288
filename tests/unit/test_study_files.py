"""What a study file may say, and how mistakes in it are named."""

import re
from pathlib import Path

import pytest

from harness.errors import SHOWN, HarnessError, unknown
from harness.paths import RunPaths
from harness.plan import check
from harness.plugins import names
from harness.spec.load import bundled_studies, dump_study, find_study, load_study, parse_study

GOOD = bundled_studies()["quickstart"].read_text()


def test_a_study_written_out_and_read_again_is_the_same_study():
    study = parse_study(GOOD, "good.yaml")
    assert parse_study(dump_study(study), "again.yaml") == study


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("question:", "qestion:", "unknown key 'qestion'. Did you mean 'question'?"),
        ("batch_size", "batchsize", "unknown key 'training.batchsize'. Did you mean 'batch_size'?"),
        ("    objective: {name: dsm", "    objectve: {name: dsm", "'methods.hdf.objectve'. Did you mean 'objective'?"),
        ("folds: [1, 2]", "folds: [1, 1]", "folds: 1 is given twice"),
        ("  x3d:\n", "  ../x3d:\n", "methods: '../x3d' must be a line of at most 100 characters without slashes"),
        ("  x3d:\n", '  "x3d\\n":\n', "because it names a folder"),
        ("search: {configurations", "search: {folds: [1, 2, 1], configurations", "search.folds: 1 is given twice"),
        ("seeds: [0]", "seeds: []", "seeds"),
        ("seeds: [0]", "seeds: [a]", "bad.yaml: seeds.0: give a whole number"),
        ("folds: [1, 2]", "folds: all", "folds: give a list, for example [1, 2] (seen: 'all')"),
        ("severities: [1, 3, 5]", "severities: 3", "stress.severities: give a list, for example [1, 2] (seen: 3)"),
        ("{uniform: [0.05, 0.6]}", "3", "give a mapping"),
        ("seeds: [0]", "seeds: [1000]", "search.seed 1000 is also in seeds"),
        ("severities: [1, 3, 5]", "severities: [1, 9]", "severities are 1 to 5"),
        ("severities: [1, 3, 5]", "severities: []", "brightness, contrast, gaussian_noise"),
        ("severities: [1, 3, 5]", "members: {fog: []}", "fog: no severities are given"),
        ("frame_drop", "clean", "'clean' is no perturbation"),
        ("name: quickstart", "name: Quick Start", "names a folder"),
        ("name: quickstart", f"name: {RunPaths(Path(), 'x').units.name}", "the folder of all studies' trials"),
        ("name: quickstart", f"name: {'q' * 256}", "256 characters"),
        ("{uniform: [0.05, 0.6]}", "{uniform: [0.6, 0.05]}", "must be below"),
        ("{uniform: [0.05, 0.6]}", "{unifrom: [0.05, 0.6]}", "Did you mean 'uniform'?"),
        ("epochs: 20", "epochs: 20\n  epochs: 15", "given twice"),
        ("learning_rate: 0.005", "learning_rate: .nan", "finite"),
        ("seeds: [0]", "seeds: [-1]", "seeds are whole numbers from 0 up, not -1"),
        ("epochs: 20", "epochs: 0", "training.epochs: give 1 or more (seen: 0)"),
        ("epochs: 20", "epochs: soon", "training.epochs: give a whole number (seen: 'soon')"),
    ],
)
def test_a_mistake_is_named_with_its_key(before, after, message):
    text = GOOD.replace(before, after, 1)
    assert text != GOOD
    with pytest.raises(HarnessError, match=re.escape(message)) as error:
        parse_study(text, "bad.yaml")
    assert str(error.value).startswith("bad.yaml: ")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("model: {name: x3d", "model: {name: x3dd", "no model named 'x3dd'. Did you mean 'x3d'?"),
        ("name: dsm", "name: dsn", "no objective named 'dsn'. Did you mean 'dsm'?"),
        ("dataset: {name: synthetic", "dataset: {name: DFEW", "no dataset named 'DFEW'. Did you mean 'dfew'?"),
        ("frame_drop", "frame_dorp", "no perturbation named 'frame_dorp'. Did you mean 'frame_drop"),
        (
            "dataset: {name: synthetic",
            "dataset: {name: synthetc",
            "no dataset named 'synthetc'. Did you mean 'synthetic'?",
        ),
        ("objective.eta: {", "objective.beta: {", "'objective.beta' is not written in the recipe"),
        ("eta: 0.2", "eta: 0.9", "lies outside the domain"),
    ],
)
def test_a_name_that_does_not_exist_is_found_without_training(before, after, message):
    study = parse_study(GOOD.replace(before, after, 1), "bad.yaml")
    with pytest.raises(HarnessError, match=re.escape(message)):
        check(study, "bad.yaml")


def test_a_condition_that_is_named_twice_is_one():
    twice = GOOD.replace("severities: [1, 3, 5]", "severities: [1, 3, 3, 5, 1]").replace(
        "contrast,", "contrast, contrast,"
    )
    assert twice != GOOD
    assert parse_study(twice, "twice.yaml").stress.conditions == parse_study(GOOD, "good.yaml").stress.conditions


def test_all_mistakes_are_named_at_once():
    study = parse_study(GOOD.replace("name: x3d", "name: x4d").replace("name: dsm", "name: dsn"), "bad.yaml")
    with pytest.raises(HarnessError, match=r"bad.yaml: 2 mistakes"):
        check(study, "bad.yaml")


def test_a_study_that_is_nowhere_offers_the_bundled_ones():
    with pytest.raises(HarnessError, match=r"Did you mean 'quickstart'?"):
        find_study("quickstat")


def test_a_file_that_is_not_text_is_an_error(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HarnessError, match="cannot be read"):
        load_study(path)


def test_an_empty_file_and_an_empty_mapping_are_told_in_words_of_yaml():
    with pytest.raises(HarnessError, match="a study is a mapping of keys, and it is empty"):
        parse_study("", "bad.yaml")
    with pytest.raises(HarnessError, match="methods: give at least 1"):
        parse_study("name: a\nquestion: b\ndataset: {name: synthetic}\nfolds: [1]\nmethods: {}\n", "bad.yaml")


def test_a_hint_lists_the_nearest_of_many_names_and_says_what_lists_all():
    hint = str(unknown("perturbation", "gausian_noise", names("perturbation")))
    assert hint.startswith("No perturbation named 'gausian_noise'. Did you mean 'gaussian_noise'? Known: ")
    assert hint.count(",") == SHOWN - 1
    assert re.search(r" and \d+ more \(dferbench list perturbations\)\.$", hint)
