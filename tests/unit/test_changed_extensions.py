"""What other packages add is named by its source: changed code gives new trials, new evaluations and new scores."""

import sys

import pytest
from tiny_unit import RECIPE, ignore, make_clips, make_task, names

from harness import plugins
from harness.errors import HarnessError
from harness.spec.method import RecipeSpec
from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.stats.logits import read_predictions
from harness.train import conditions
from harness.train.extensions import code_of
from harness.train.unit import execute, is_finished
from perturbations._apply import SUITE_VERSION

CODE = """
from dataclasses import replace
from models.x3d import x3d
from perturbations.brightness import brightness

strange_net = replace(x3d, title="Strange")
dimmed = replace(brightness, title="Dimmed", apply=lambda pixels, params: pixels // {divisor})
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes a package known that adds a network and a perturbation, in one version or another."""
    site = tmp_path / "site"
    info = site / "strange-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: strange\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[dferbench.models]\nstrange_net = strange:strange_net\n\n[dferbench.perturbations]\ndimmed = strange:dimmed\n"
    )
    monkeypatch.syspath_prepend(site)

    def version(divisor):
        (site / "strange.py").write_text(CODE.format(divisor=divisor))
        sys.modules.pop("strange", None)
        for cached in (plugins._entry_points, plugins.code):
            cached.cache_clear()

    yield version
    monkeypatch.undo()
    sys.modules.pop("strange", None)
    for cached in (plugins._entry_points, plugins.code):
        cached.cache_clear()


def test_a_trial_is_named_by_the_source_of_a_network_of_others(install, source, tmp_path):
    found = []
    for divisor in (2, 3, 2):
        install(divisor)
        recipe = RecipeSpec.model_validate({**RECIPE, "model": {**RECIPE["model"], "name": "strange_net"}})
        told = code_of(recipe)
        task = make_task(source, tmp_path, recipe={"model": recipe.model.model_dump(), "code": told})
        found.append(task.trial.trial_id)
    assert found[0] == found[2] != found[1]
    assert code_of(RecipeSpec.model_validate(RECIPE)) is None


def test_a_machine_with_other_source_than_the_trial_is_named_by_does_not_train_it(install, source, tmp_path):
    install(2)
    model = {**RECIPE["model"], "name": "strange_net"}
    task = make_task(source, tmp_path, recipe={"model": model, "code": "0" * 16})
    with pytest.raises(HarnessError, match=r"'strange_net'.*its source on this machine is not the one"):
        execute(task, ignore)


def test_clips_are_shown_again_under_a_perturbation_of_others_that_has_changed(install, source, tmp_path):
    install(2)
    shown = (CLEAN_CONDITION, Condition(perturbation="dimmed", severity=1))
    task = make_task(source, tmp_path, training={"epochs": 1}, conditions=shown)
    execute(task, ignore)
    assert is_finished(task)
    (before,) = task.paths.test_predictions(SUITE_VERSION)
    logits = read_predictions(before, 2).logits
    install(9)
    assert not is_finished(task)
    execute(task, ignore)
    assert is_finished(task)
    (after,) = task.paths.test_predictions(SUITE_VERSION)
    assert after != before
    assert (read_predictions(after, 2).logits != logits).any()
    assert before.name not in names(task.paths.folder)


def test_what_is_not_installed_any_more_takes_no_evaluation_away(install, source, tmp_path, monkeypatch):
    install(2)
    task = make_task(
        source,
        tmp_path,
        training={"epochs": 1},
        conditions=(CLEAN_CONDITION, Condition(perturbation="dimmed", severity=1)),
    )
    execute(task, ignore)
    kept = task.paths.test_predictions(SUITE_VERSION)
    monkeypatch.setattr(plugins, "_entry_points", lambda package: ())
    plugins.code.cache_clear()
    assert conditions.foreign_code("brightness") == ""
    later = task.model_copy(update={"conditions": (CLEAN_CONDITION, Condition(perturbation="brightness", severity=1))})
    execute(later, ignore)
    assert set(kept) < set(task.paths.test_predictions(SUITE_VERSION))
